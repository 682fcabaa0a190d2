import { onBeforeUnmount, ref, type Ref } from "vue";
import {
  createRouter,
  createWebHistory,
  isNavigationFailure,
  NavigationFailureType,
  type RouteLocationNormalized,
  type RouteLocationRaw,
} from "vue-router";
import { i18n } from "./i18n";
import { can, loadSession, session } from "./session";

declare module "vue-router" {
  interface RouteMeta {
    /** Key of the page's title. */
    title: string;
    /** Shown without the shell, and without a session. */
    bare?: boolean;
    permission?: string;
  }
}

export const router = createRouter({
  history: createWebHistory("/"),
  routes: [
    { path: "/", redirect: "/tasks" },
    {
      path: "/login",
      name: "login",
      component: () => import("./screens/Login.vue"),
      meta: { title: "login.title", bare: true },
    },
    {
      path: "/password",
      name: "password",
      component: () => import("./screens/Password.vue"),
      meta: { title: "password.choose", bare: true },
    },
    {
      path: "/tasks/:id?",
      name: "tasks",
      component: () => import("./screens/tasks/Inbox.vue"),
      meta: { title: "nav.tasks" },
    },
    {
      path: "/start",
      name: "start",
      component: () => import("./screens/start/StartList.vue"),
      meta: { title: "nav.start" },
    },
    {
      path: "/start/:process",
      name: "start-process",
      component: () => import("./screens/start/StartProcess.vue"),
      meta: { title: "nav.start" },
    },
    {
      path: "/instances",
      name: "instances",
      component: () => import("./screens/instances/InstanceList.vue"),
      meta: { title: "nav.instances" },
    },
    {
      path: "/instances/:id",
      name: "instance",
      component: () => import("./screens/instances/InstancePage.vue"),
      meta: { title: "nav.instances" },
    },
    {
      path: "/models",
      name: "models",
      component: () => import("./screens/models/ModelList.vue"),
      meta: { title: "nav.models", permission: "models.read" },
    },
    {
      path: "/models/:key",
      name: "model",
      component: () => import("./screens/models/ModelPage.vue"),
      meta: { title: "nav.models" },
    },
    {
      path: "/forms",
      name: "forms",
      component: () => import("./screens/forms/FormsList.vue"),
      meta: { title: "nav.forms", permission: "models.read" },
    },
    {
      path: "/forms/:form",
      name: "form",
      component: () => import("./screens/forms/FormDesigner.vue"),
      meta: { title: "nav.forms", permission: "models.read" },
    },
    {
      path: "/rules",
      name: "rules",
      component: () => import("./screens/rules/RulesList.vue"),
      meta: { title: "nav.rules", permission: "models.read" },
    },
    {
      path: "/rules/:decision",
      name: "rule-table",
      component: () => import("./screens/rules/RulesPage.vue"),
      meta: { title: "nav.rules", permission: "models.read" },
    },
    {
      path: "/board/:process?",
      name: "board",
      component: () => import("./screens/board/BoardPage.vue"),
      meta: { title: "nav.board", permission: "board.read" },
    },
    {
      path: "/audit",
      name: "audit",
      component: () => import("./screens/audit/AuditPage.vue"),
      meta: { title: "nav.audit", permission: "audit.read" },
    },
    {
      path: "/calendars/:id?",
      name: "calendars",
      component: () => import("./screens/calendars/CalendarPage.vue"),
      meta: { title: "nav.calendars" },
    },
    {
      path: "/admin/people",
      name: "people",
      component: () => import("./screens/people/PeoplePage.vue"),
      meta: { title: "nav.people", permission: "people.manage" },
    },
    {
      path: "/settings/substitutes",
      name: "substitutes",
      component: () => import("./screens/substitutes/SubstitutesPage.vue"),
      meta: { title: "substitutes.title" },
    },
    {
      path: "/admin/channels",
      name: "channels",
      component: () => import("./screens/channels/ChannelsPage.vue"),
      meta: { title: "nav.channels", permission: "deliveries.operate" },
    },
    {
      path: "/settings/notices",
      name: "notice-settings",
      component: () => import("./screens/settings/NoticeSettings.vue"),
      meta: { title: "preference.title" },
    },
    {
      path: "/settings/tokens",
      name: "tokens",
      component: () => import("./screens/settings/TokenSettings.vue"),
      meta: { title: "tokens.title" },
    },
    {
      path: "/:rest(.*)*",
      name: "missing",
      component: () => import("./screens/Missing.vue"),
      meta: { title: "missing.title" },
    },
  ],
});

/** Go to the sign-in page and come back here afterwards. */
export async function toLogin(expired = false): Promise<void> {
  const { fullPath, name } = router.currentRoute.value;
  if (name === "login") return;
  await router.push({ name: "login", query: { back: fullPath, ...(expired ? { expired: "1" } : {}) } });
}

async function admit(to: RouteLocationNormalized) {
  if (!session.known) {
    await loadSession().catch(() => undefined); // a server that is away shows on the sign-in page, which asks again
  }
  if (to.meta.bare) return true;
  if (session.person === null || session.mustChange) return { name: "login", query: { back: to.fullPath } };
  if (to.meta.permission && !can(to.meta.permission)) {
    return { name: "missing", params: { rest: ["denied"] }, query: { needs: to.meta.permission } };
  }
  return true;
}

/** Whether the page is on the way to where the user has asked to go. */
const moving = ref(false);

/**
 * A way for a page to go on by itself, for instance to the first of a list that has come. It never overrides where the user
 * has asked to go meanwhile, nor follows them to the page where they are by then.
 */
export function useGoingOn(): { moving: Readonly<Ref<boolean>>; goOn: (to: RouteLocationRaw) => Promise<void> } {
  let left = false;
  onBeforeUnmount(() => (left = true));
  return {
    moving,
    goOn: async (to) => {
      if (!left && !moving.value) await router.push(to);
    },
  };
}

router.beforeEach(() => {
  moving.value = true;
});
router.beforeEach(admit);
router.onError(() => {
  moving.value = false;
});
router.afterEach((to, _from, failure) => {
  // One that is cancelled has made way for another, which is not there yet.
  if (!isNavigationFailure(failure, NavigationFailureType.cancelled)) moving.value = false;
  document.title = `${i18n.global.t(to.meta.title)} · Noria`;
});
