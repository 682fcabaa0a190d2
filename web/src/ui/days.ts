/** The day of a date or instant, as a date field wants it; of the end of a period its last day, "" for no date. */
export function dayOf(text: string, end = false): string {
  if (text.length <= 10) return text;
  // Swedish writes dates as ISO 8601 does.
  return new Date(Date.parse(text) - (end ? 1 : 0)).toLocaleDateString("sv-SE");
}
