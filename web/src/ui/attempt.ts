import { ref } from "vue";
import { asProblem } from "../api/problems";
import { useTexts } from "./texts";

/** What is asked of the server one thing at a time; a refusal is kept in words, to be shown where it was asked. */
export function useAttempt() {
  const { problemText } = useTexts();
  const busy = ref(false);
  const failure = ref("");

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    if (busy.value) return;
    failure.value = "";
    busy.value = true;
    try {
      await work();
    } catch (error) {
      failure.value = problemText(asProblem(error));
    } finally {
      busy.value = false;
    }
  }
  return { busy, failure, attempt };
}
