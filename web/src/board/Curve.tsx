//! One line of the last minutes, drawn without any library. The figures are also said in words.

import { t } from "../i18n/words";

const WIDTH = 240;
const HEIGHT = 44;

/** The line as the points of a polyline: the oldest minute at the left, zero at the bottom. */
export function points(values: readonly number[], most: number): string {
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  return values.map((value, i) => `${(i * step).toFixed(1)},${(HEIGHT - (value / Math.max(1, most)) * (HEIGHT - 4) - 2).toFixed(1)}`).join(" ");
}

export function Curve({ name, values }: { name: string; values: readonly number[] }) {
  const most = Math.max(0, ...values);
  const now = values.at(-1) ?? 0;
  const line = points(values.length === 1 ? [now, now] : values, most); // one minute is a level, not a slope
  return (
    <figure class="curve">
      <figcaption>
        <span>{name}</span> <strong>{now}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t("board.curve.says", { name, now, most, minutes: values.length })}>
        <polygon points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
        <polyline points={line} />
      </svg>
      <span class="most" aria-hidden="true">{most}</span>
    </figure>
  );
}
