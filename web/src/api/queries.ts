import { keepPreviousData, QueryClient, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api } from "./client";
import { Problem } from "./problems";
import type {
  AuditEntry,
  Batch,
  Board,
  BoardRange,
  BoardTime,
  Counts,
  FeedItem,
  ForeseenPath,
  FormSchema,
  InstanceBrief,
  InstanceDetail,
  Notice,
  Page,
  Phrases,
  Person,
  PlainModel,
  ProcessDetail,
  ProcessItem,
  ProcessVersion,
  TaskBox,
  TaskDetail,
  Task,
  TimelineItem,
} from "./types";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: true,
      // Refusals do not get better by asking again; a network that is away may come back.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});

type Filters = Record<string, string | number | readonly string[] | undefined>;
type Get<T> = MaybeRefOrGetter<T>;

export const useCounts = () =>
  useQuery({ queryKey: ["counts"], queryFn: ({ signal }) => api.get<Counts>("/tasks/counts", {}, signal) });

export const useNotices = () =>
  useQuery({
    queryKey: ["notices"],
    queryFn: ({ signal }) => api.get<Page<Notice>>("/notices", { limit: 30 }, signal),
  });

export const usePhrases = () =>
  useQuery({ queryKey: ["phrases"], queryFn: ({ signal }) => api.get<Phrases>("/phrases", {}, signal) });

export const useTasks = (box: Get<TaskBox>, filters: Get<Filters>, enabled: Get<boolean>) =>
  useQuery({
    queryKey: ["tasks", computed(() => toValue(box)), computed(() => toValue(filters))],
    queryFn: ({ signal }) => api.get<Page<Task>>("/tasks", { box: toValue(box), ...toValue(filters) }, signal),
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
  });

export const useTask = (id: Get<string>, enabled: Get<boolean>) =>
  useQuery({
    queryKey: ["task", computed(() => toValue(id))],
    queryFn: ({ signal }) => api.get<TaskDetail>(`/tasks/${encodeURIComponent(toValue(id))}`, {}, signal),
    enabled: computed(() => toValue(id) !== "" && toValue(enabled)),
  });

export const useProcesses = () =>
  useQuery({
    queryKey: ["processes"],
    queryFn: ({ signal }) => api.get<Page<ProcessItem>>("/processes", { limit: 200 }, signal),
  });

export const useProcess = (key: Get<string>, version: Get<number | undefined>) =>
  useQuery({
    queryKey: ["process", computed(() => toValue(key)), computed(() => toValue(version) ?? 0)],
    queryFn: ({ signal }) =>
      api.get<ProcessDetail>(`/processes/${encodeURIComponent(toValue(key))}`, { version: toValue(version) }, signal),
    enabled: computed(() => toValue(key) !== ""),
  });

export const useVersions = (key: Get<string>) =>
  useQuery({
    queryKey: ["versions", computed(() => toValue(key))],
    queryFn: ({ signal }) =>
      api.get<Page<ProcessVersion>>(`/processes/${encodeURIComponent(toValue(key))}/versions`, { limit: 100 }, signal),
  });

/** The model of one version never changes, so it is kept for the life of the page. */
export const useXml = (key: Get<string>, version: Get<number | undefined>) =>
  useQuery({
    queryKey: ["xml", computed(() => toValue(key)), computed(() => toValue(version) ?? 0)],
    queryFn: ({ signal }) =>
      api.text(`/processes/${encodeURIComponent(toValue(key))}/xml`, { version: toValue(version) }, signal),
    enabled: computed(() => toValue(key) !== "" && toValue(version) !== undefined),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A version as plain BPMN for other tools; it never changes either. */
export const usePlain = (key: Get<string>, version: Get<number>) =>
  useQuery({
    queryKey: ["plain", computed(() => toValue(key)), computed(() => toValue(version))],
    queryFn: ({ signal }) =>
      api.get<PlainModel>(
        `/processes/${encodeURIComponent(toValue(key))}/plain`,
        { version: toValue(version) },
        signal,
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useStartForm = (key: Get<string>) =>
  useQuery({
    queryKey: ["start-form", computed(() => toValue(key))],
    queryFn: ({ signal }) =>
      api.get<{ form: FormSchema | null }>(`/processes/${encodeURIComponent(toValue(key))}/start-form`, {}, signal),
    enabled: computed(() => toValue(key) !== ""),
  });

export const useInstances = (filters: Get<Filters>, enabled: Get<boolean> = true) =>
  useQuery({
    queryKey: ["instances", computed(() => toValue(filters))],
    queryFn: ({ signal }) => api.get<Page<InstanceBrief>>("/instances", toValue(filters), signal),
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
  });

export const useInstance = (id: Get<string>) =>
  useQuery({
    queryKey: ["instance", computed(() => toValue(id))],
    queryFn: ({ signal }) => api.get<InstanceDetail>(`/instances/${toValue(id)}`, {}, signal),
    enabled: computed(() => toValue(id) !== ""),
  });

export const usePath = (id: Get<string>, enabled: Get<boolean>) =>
  useQuery({
    queryKey: ["instance", computed(() => toValue(id)), "path"],
    queryFn: ({ signal }) => api.get<ForeseenPath>(`/instances/${toValue(id)}/path`, {}, signal),
    enabled: computed(() => toValue(enabled)),
  });

export const useTimeline = (id: Get<string>) =>
  useQuery({
    queryKey: ["timeline", computed(() => toValue(id))],
    queryFn: ({ signal }) => api.get<{ items: TimelineItem[] }>(`/instances/${toValue(id)}/timeline`, {}, signal),
    enabled: computed(() => toValue(id) !== ""),
  });

export const useInstanceAudit = (id: Get<string>, enabled: Get<boolean>) =>
  useQuery({
    queryKey: ["instance-audit", computed(() => toValue(id))],
    queryFn: ({ signal }) => api.get<{ items: AuditEntry[] }>(`/instances/${toValue(id)}/audit`, {}, signal),
    enabled: computed(() => toValue(enabled)),
  });

/** Batches at work are asked about again each second. */
export const useBatches = (enabled: Get<boolean>) =>
  useQuery({
    queryKey: ["batches"],
    queryFn: ({ signal }) => api.get<Page<Batch>>("/batches", { limit: 50 }, signal),
    enabled: computed(() => toValue(enabled)),
    refetchInterval: ({ state }) => (state.data?.items.some((batch) => !batch.ended_at) ? 1000 : false),
  });

export const useAudit = (filters: Get<Filters>) =>
  useQuery({
    queryKey: ["audit", computed(() => toValue(filters))],
    queryFn: ({ signal }) => api.get<Page<AuditEntry>>("/audit", toValue(filters), signal),
    placeholderData: keepPreviousData,
  });

export const useBoard = (key: Get<string>, range: Get<BoardRange>, time: Get<BoardTime>) =>
  useQuery({
    queryKey: ["board", computed(() => toValue(key)), computed(() => toValue(range)), computed(() => toValue(time))],
    queryFn: ({ signal }) =>
      api.get<Board>(
        `/processes/${encodeURIComponent(toValue(key))}/board`,
        { range: toValue(range), time: toValue(time) },
        signal,
      ),
    enabled: computed(() => toValue(key) !== ""),
    placeholderData: keepPreviousData,
  });

export const useFeed = (key: Get<string>) =>
  useQuery({
    queryKey: ["feed", computed(() => toValue(key))],
    queryFn: ({ signal }) =>
      api.get<{ items: FeedItem[] }>(`/processes/${encodeURIComponent(toValue(key))}/feed`, { limit: 20 }, signal),
    enabled: computed(() => toValue(key) !== ""),
  });

export const findPeople = (q: string, signal?: AbortSignal) =>
  api.get<Page<Person>>("/people", { q, limit: 20 }, signal);
