import type { NoticeKind } from "../../api/types";

/** Kinds of notices, in the order that the server lists them. */
export const NOTICE_KINDS: readonly NoticeKind[] = [
  "task",
  "offered",
  "assigned",
  "reminder",
  "overdue",
  "urged",
  "returned",
  "mentioned",
  "handed_back",
  "taken_back",
  "copied",
  "consulted",
  "answered",
  "nobody",
  "refused",
  "completed",
  "terminated",
  "withdrawn",
];
