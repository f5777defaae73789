/** All keys that mean something here. */

import { usePage } from "../data/context";
import { Dialog } from "../ui/dialog";

const SHOWN: Readonly<Record<string, string>> = { Escape: "Esc" };

export function KeySheet({ onClose }: { onClose: () => void }) {
  const bindings = usePage().keys.list();
  const groups = [...new Set(bindings.map((b) => b.group))].sort();
  return (
    <Dialog label="Keys" place="middle" onClose={onClose}>
      <div class="keysheet" data-testid="keysheet">
        <h2>Keys</h2>
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {bindings
                .filter((b) => b.group === group)
                .map((b) => (
                  <div key={b.keys}>
                    <dt>
                      {b.keys.split(" ").map((key) => (
                        <kbd key={key}>{SHOWN[key] ?? key}</kbd>
                      ))}
                    </dt>
                    <dd>{b.label}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
