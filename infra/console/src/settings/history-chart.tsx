/** The cycles as bars, the oldest on the left; a failed one is a mark, whatever it has stored. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Cycle } from "../api/history";
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import styles from "./history-section.module.css";

const HEIGHT = 180;
const NARROWEST_LABEL = 70;

export default function HistoryChart({ cycles }: { cycles: Cycle[] }) {
  const told = useWords().settings.history;
  const formats = useFormats();
  const place = useRef<HTMLDivElement>(null);
  const failed = cycles.filter((cycle) => cycle.error).length;
  const stored = cycles.reduce((sum, cycle) => sum + cycle.stored, 0);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const oldestFirst = cycles.toReversed();
    const data: uPlot.AlignedData = [
      oldestFirst.map((_, index) => index),
      oldestFirst.map((cycle) => cycle.stored),
      oldestFirst.map((cycle) => (cycle.error ? 0 : null)),
    ];
    // Within a day the time tells more than the same day again.
    const labels = (instants: (string | undefined)[]) =>
      instants.map((instant, index) => {
        const before = instants[index - 1];
        const sameDay = instant && before && new Date(instant).toDateString() === new Date(before).toDateString();
        return sameDay ? formats.brief(instant, new Date(instant)) : formats.brief(instant);
      });
    let chart: uPlot | null = null;
    const draw = () => {
      chart?.destroy();
      const ink = colourOf(element, "--ink-soft");
      const line = colourOf(element, "--line");
      const bad = colourOf(element, "--bad");
      const accent = colourOf(element, "--accent");
      const axis = { stroke: ink, grid: { show: false }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
      chart = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          padding: [12, 8, 0, 0],
          cursor: { show: false },
          legend: { show: false },
          scales: {
            x: { time: false, range: [-0.6, Math.max(oldestFirst.length, 8) - 0.4] },
            y: { range: (_, __, most) => [0, Math.max(most * 1.1, 4)] },
          },
          axes: [
            {
              ...axis,
              size: 22,
              space: NARROWEST_LABEL,
              incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500],
              values: (_, places) => labels(places.map((index) => oldestFirst[index]?.finished_at)),
            },
            {
              ...axis,
              size: 44,
              space: 34,
              incrs: [1, 2, 5, 10, 20, 50, 100, 200],
              grid: { show: true, stroke: line, width: 1 },
            },
          ],
          series: [
            {},
            {
              fill: accent,
              width: 0,
              points: { show: false },
              ...(uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.7, 36, 3], radius: 0.15 }) }),
            },
            { stroke: bad, width: 0, paths: () => null, points: { show: true, size: 9, width: 0, fill: bad } },
          ],
        },
        data,
        element,
      );
    };
    draw();
    const sized = new ResizeObserver(() => {
      if (chart && chart.width !== element.clientWidth) {
        chart.setSize({ width: element.clientWidth, height: HEIGHT });
      }
    });
    sized.observe(element);
    // The canvas has the colours that it was drawn with.
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      sized.disconnect();
      themed.disconnect();
      dark.removeEventListener("change", draw);
      chart?.destroy();
    };
  }, [cycles, formats]);

  return (
    <div
      className={styles.chart}
      ref={place}
      role="img"
      aria-label={told.chart(formats.counted(cycles.length), formats.counted(stored), formats.counted(failed))}
    />
  );
}

/** A token's colour as a canvas understands it. */
function colourOf(element: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
