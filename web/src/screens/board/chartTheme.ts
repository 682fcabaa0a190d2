/** Colours and spacing shared by the charts; each colour pair also differs in lightness. */
export const CHART = {
  good: "#0b6e64",
  warn: "#d99a2b",
  bad: "#b83a2f",
  ink: "#3d4f4d",
  line: "#e1e8e7",
} as const;

export const axisText = { color: CHART.ink, fontSize: 12 };
export const splitLine = { lineStyle: { color: CHART.line } };
export const animation = { animation: false } as const;
