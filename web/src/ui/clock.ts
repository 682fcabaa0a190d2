import { shallowRef } from "vue";

/** The time, moving once a minute; whatever shows "how long ago" follows it. */
export const minute = shallowRef(new Date());
window.setInterval(() => (minute.value = new Date()), 60_000);
