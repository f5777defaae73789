/** Times that keep themselves current; the absolute instant is in the title. */

import { useComputed } from "@preact/signals";
import { absolute, ago, countdown } from "../base/format";
import { usePage } from "../data/context";

export function Ago({ at }: { at: number | null }) {
  return <Moving at={at} text={ago} />;
}

export function Countdown({ at }: { at: number }) {
  return <Moving at={at} text={countdown} />;
}

/** Only the text node changes each second, not the component around it. */
function Moving<T extends number | null>(props: { at: T; text: (at: T, now: number) => string }) {
  const { clock, zone } = usePage();
  const { at, text } = props;
  const words = useComputed(() => text(at, clock.now.value));
  if (at === null) return <span>{text(at, 0)}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at, zone.value.value)}>
      <Text key={at} words={words} />
    </time>
  );
}

function Text({ words }: { words: { readonly value: string } }) {
  return <>{words}</>;
}
