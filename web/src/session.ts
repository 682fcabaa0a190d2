import { reactive } from "vue";
import { api, setCsrfToken } from "./api/client";
import { startLive, stopLive } from "./api/live";
import { Problem } from "./api/problems";
import { queryClient } from "./api/queries";
import type { DemoAccount, Person, Session } from "./api/types";

interface State {
  person: Person | null;
  /** The server has said whether somebody is signed in. */
  known: boolean;
  permissions: readonly string[];
  /** Nothing works before the person has chosen a password of their own. */
  mustChange: boolean;
  /** The server holds simulated data and accounts for trying. */
  demo: boolean;
  demoAccounts: readonly DemoAccount[];
}

export const session: State = reactive({
  person: null,
  known: false,
  permissions: [],
  mustChange: false,
  demo: false,
  demoAccounts: [],
});

export function can(permission: string): boolean {
  return session.permissions.includes(permission);
}

function enter(answer: Session): void {
  setCsrfToken(answer.csrf_token);
  session.known = true;
  session.person = answer.person;
  session.permissions = answer.permissions;
  session.mustChange = answer.must_change_password;
  session.demo = answer.demo;
  if (session.mustChange) return;
  startLive(answer.person.id);
  if (showsNotices()) void import("./push").then(({ settle }) => settle(answer.person.id)).catch(console.error);
}

/** Where a browser keeps whose notices it shows while Noria is closed: nobody else who signs in is shown them. */
export const PUSH_OWNER = "noria.push";
/** Whether it shows any: only then is it worth loading what deals with that. */
const showsNotices = () => localStorage.getItem(PUSH_OWNER) !== null;

function leave(): void {
  stopLive();
  setCsrfToken("");
  session.person = null;
  session.permissions = [];
  session.mustChange = false;
  queryClient.clear();
}

/** Ask who is signed in; `false` when nobody is. */
export async function loadSession(): Promise<boolean> {
  try {
    enter(await api.get<Session>("/session"));
    return true;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    session.known = true;
    const { demo, accounts } = error.details;
    session.demo = demo === true;
    session.demoAccounts = Array.isArray(accounts) ? (accounts as unknown as DemoAccount[]) : [];
    leave();
    return false;
  }
}

export async function signIn(username: string, password: string): Promise<void> {
  enter(await api.post<Session>("/session", { username, password }));
}

export async function signOut(): Promise<void> {
  if (showsNotices()) await (await import("./push")).stopBeforeSigningOut();
  await api.delete("/session");
  leave();
}

/** The server said that the session is over. */
export function forgetSession(): void {
  leave();
}
