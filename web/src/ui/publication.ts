import { useQueryClient } from "@tanstack/vue-query";
import { computed, onBeforeUnmount, ref, watch, type Ref } from "vue";
import { api } from "../api/client";
import { asProblem } from "../api/problems";
import type { Finding } from "../api/types";
import { can } from "../session";
import { useTexts } from "./texts";
import { say } from "./toast";

/** How long somebody pauses before what is being edited is checked. */
const PAUSE_MS = 400;

/** What is in force, as far as publishing another edition needs it. */
interface Edition {
  readonly base: string;
  readonly findings: readonly Finding[];
}

interface Published {
  readonly processes: readonly { readonly name: string; readonly version: number }[];
}

interface Work<Draft> {
  /** Where it is, in the interface and in what has been read before. */
  readonly kind: "forms" | "rules";
  readonly id: Ref<string>;
  readonly inForce: Ref<Edition | undefined>;
  /** What is being edited, under the name that the interface has for it. */
  readonly part: "schema" | "table";
  readonly draft: Ref<Draft | null>;
  readonly changed: Ref<boolean>;
  /** What is said when it has been published, with the names of the processes that have a new version. */
  readonly told: (processes: string) => string;
  /** Called when it has been published and nothing has been read again yet. */
  readonly published?: () => void;
}

/** What is edited in the browser, checked meanwhile, and put into force with a reason: forms, rules. */
export function usePublication<Draft>(work: Work<Draft>) {
  const { t, problemText } = useTexts();
  const cache = useQueryClient();
  const findings = ref<readonly Finding[]>([]);
  const failure = ref("");
  const busy = ref(false);
  const publishing = ref(false);
  const note = ref("");
  const editable = computed(() => can("models.deploy"));
  const ready = computed(
    () => work.changed.value && !busy.value && !findings.value.some((finding) => finding.severity === "error"),
  );

  let pause: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  /** Begin again with what is in force; an answer about what was there before is not waited for. */
  function restart(): void {
    clearTimeout(pause);
    asked += 1;
    findings.value = work.inForce.value?.findings ?? [];
    failure.value = "";
  }

  watch(work.inForce, restart, { immediate: true });
  watch(
    work.draft,
    () => {
      clearTimeout(pause);
      if (work.changed.value && editable.value) pause = setTimeout(() => void check(), PAUSE_MS);
    },
    { deep: true },
  );
  onBeforeUnmount(() => clearTimeout(pause));

  async function check(): Promise<void> {
    const number = ++asked;
    try {
      const found = await api.post<Finding[]>(`/${work.kind}/${work.id.value}/check`, {
        [work.part]: work.draft.value,
      });
      if (number !== asked) return;
      findings.value = found;
      failure.value = "";
    } catch (problem) {
      if (number === asked) failure.value = problemText(asProblem(problem));
    }
  }

  /** Do something with the server, one thing at a time; what goes wrong is shown. Gives whether it went well. */
  async function attempt(what: () => Promise<void>): Promise<boolean> {
    busy.value = true;
    failure.value = "";
    try {
      await what();
      return true;
    } catch (problem) {
      failure.value = problemText(asProblem(problem));
      return false;
    } finally {
      busy.value = false;
    }
  }

  function publish(): Promise<boolean> {
    return attempt(async () => {
      const body = { [work.part]: work.draft.value, base: work.inForce.value?.base ?? "", note: note.value.trim() };
      const made = await api.post<Published>(`/${work.kind}/${work.id.value}`, body);
      const names = made.processes.map((one) => `${one.name} ${t("common.version", { n: one.version })}`);
      say(work.told(names.join(", ")), "good");
      publishing.value = false;
      note.value = "";
      work.published?.();
      await Promise.all([
        cache.invalidateQueries({ queryKey: [work.kind] }),
        cache.invalidateQueries({ queryKey: ["processes"] }),
      ]);
    });
  }

  return { findings, failure, busy, editable, ready, publishing, note, restart, attempt, publish };
}
