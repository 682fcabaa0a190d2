import {
  Bell,
  Calendar,
  Checked,
  DataAnalysis,
  DocumentChecked,
  EditPen,
  Files,
  Grid,
  List,
  Tickets,
  User,
} from "@element-plus/icons-vue";
import type { Component } from "vue";
import { can } from "../session";
import type { Counts } from "../api/types";

/** The words of the loop; the menu, the packages and the documentation share them. */
export type LoopGroup = "design" | "run" | "watch" | "govern";

export interface NavEntry {
  readonly title: string;
  readonly to: string;
  readonly group: LoopGroup;
  readonly icon: Component;
  readonly count?: (counts: Counts) => number;
  readonly permission?: string;
}

export const LOOP: readonly LoopGroup[] = ["run", "design", "watch", "govern"];

const ENTRIES: readonly NavEntry[] = [
  { title: "nav.tasks", to: "/tasks", group: "run", icon: Checked, count: (counts) => counts.mine },
  { title: "nav.start", to: "/start", group: "run", icon: EditPen },
  { title: "nav.instances", to: "/instances", group: "run", icon: List },
  { title: "nav.models", to: "/models", group: "design", icon: Files, permission: "models.read" },
  { title: "nav.forms", to: "/forms", group: "design", icon: Tickets, permission: "models.read" },
  { title: "nav.rules", to: "/rules", group: "design", icon: Grid, permission: "models.read" },
  { title: "nav.board", to: "/board", group: "watch", icon: DataAnalysis, permission: "board.read" },
  { title: "nav.audit", to: "/audit", group: "govern", icon: DocumentChecked, permission: "audit.read" },
  { title: "nav.calendars", to: "/calendars", group: "govern", icon: Calendar },
  { title: "nav.people", to: "/admin/people", group: "govern", icon: User, permission: "people.manage" },
  { title: "nav.channels", to: "/admin/channels", group: "govern", icon: Bell, permission: "deliveries.operate" },
];

/** The pages that work today and that this person may open. */
export function navEntries(): readonly NavEntry[] {
  return ENTRIES.filter((entry) => !entry.permission || can(entry.permission));
}
