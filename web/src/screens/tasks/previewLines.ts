import type { ElementRef, InstanceStatus, Preview, PreviewTask } from "../../api/types";
import { useTexts } from "../../ui/texts";

/** What a preview says, line by line; nothing when it was refused. */
export function usePreviewLines(): (found: Preview, before?: InstanceStatus) => string[] {
  const { t, groupName, dayAndClock } = useTexts();
  const listed = (items: readonly string[]) => [...new Set(items)].join(t("value.separator"));
  const task = ({ element, assignee, groups }: PreviewTask) =>
    t("preview.task", { element: element.name, who: assignee?.name ?? groups.map(groupName).join(" ") });
  const names = (items: readonly ElementRef[]) => listed(items.map((item) => item.name));

  function standing(found: Preview, before: InstanceStatus): string[] {
    if (found.suspended) return [t("preview.suspended")];
    if (found.status === before) return [];
    const status = t(`status.${found.status}`);
    return [t(before === "open" ? "preview.status" : "preview.becomes", { status })];
  }
  return (found, before = "open") => {
    if (found.refused) return [];
    const items: Record<string, string> = {
      cancelled: listed(found.cancelled.map(task)),
      opened: listed(found.opened.map(task)),
      handed: listed(found.handed.map(task)),
      passed: names(found.passed.map(({ element }) => element)),
      stopped: names(found.stopped),
      undone: names(found.undone),
      incidents: names(found.incidents.map(({ element }) => element)),
      notified: listed(found.notified.map(({ name }) => name)),
    };
    const told = Object.entries(items)
      .filter(([, text]) => text)
      .map(([kind, text]) => t(`preview.${kind}`, { items: text }));
    if (found.again_at) told.push(t("preview.again_at", { at: dayAndClock(found.again_at) }));
    const lines = [...standing(found, before), ...told];
    return lines.length ? lines : [t("preview.none")];
  };
}

/** What a verb would do together on several requests; how each of them would stand is its own matter. */
export function together(previews: readonly Preview[]): Preview {
  const first = previews[0];
  if (!first) throw new Error("There is nothing to put together.");
  if (previews.length === 1) return first;
  return {
    ...first,
    status: "open",
    cancelled: previews.flatMap((one) => one.cancelled),
    opened: previews.flatMap((one) => one.opened),
    handed: previews.flatMap((one) => one.handed),
    passed: previews.flatMap((one) => one.passed),
    stopped: previews.flatMap((one) => one.stopped),
    undone: previews.flatMap((one) => one.undone),
    incidents: previews.flatMap((one) => one.incidents),
    notified: previews.flatMap((one) => one.notified),
  };
}
