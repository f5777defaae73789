/** The table twin of a chart: the same numbers for readers and for copying. */

import { absolute, compact, type Zone } from "../base/format";
import { align, type Series } from "../data/series";

/** Rows shown, newest first; the API has the rest. */
const ROWS_MAX = 60;

export function TableTwin(props: { title: string; series: readonly Series[]; zone: Zone }) {
  const [axis, ...columns] = align(props.series);
  const rows = axis.map((_, i) => axis.length - 1 - i).slice(0, ROWS_MAX);
  return (
    <div class="twin" tabIndex={0} role="region" aria-label={`${props.title} as a table`}>
      <table data-testid="twin">
        <thead>
          <tr>
            <th scope="col">time</th>
            {props.series.map((s) => (
              <th key={s.key} scope="col" class="num">
                {s.key || "value"}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((i) => (
            <tr key={axis[i]}>
              <th scope="row">{absolute((axis[i] ?? 0) * 1000, props.zone)}</th>
              {columns.map((column, c) => (
                <td key={props.series[c]?.key} class="num">
                  {compact(column[i])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
