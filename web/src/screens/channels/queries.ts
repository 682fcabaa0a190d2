import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api } from "../../api/client";
import type { Channel, ChannelKind, Delivery, Page } from "../../api/types";

export const useChannels = (enabled: boolean) =>
  useQuery({
    queryKey: ["channels"],
    queryFn: ({ signal }) => api.get<Page<Channel>>("/admin/channels", {}, signal),
    enabled,
  });

export const usePublicUrl = (enabled: boolean) =>
  useQuery({
    queryKey: ["notice-settings"],
    queryFn: ({ signal }) =>
      api.get<{ public_url: string; invites_new: boolean }>("/admin/notice-settings", {}, signal),
    enabled,
  });

export const useDeliveries = (state: MaybeRefOrGetter<Delivery["state"]>) =>
  useQuery({
    queryKey: ["deliveries", computed(() => toValue(state))],
    queryFn: ({ signal }) => api.get<Page<Delivery>>("/deliveries", { state: toValue(state), limit: 100 }, signal),
    refetchInterval: 3_000,
  });

export interface Field {
  readonly name: string;
  readonly secret?: true;
  readonly optional?: true;
  readonly choices?: readonly string[];
}

/** What each kind of channel must be told, as the server knows it. */
export const FIELDS: Readonly<Record<ChannelKind, readonly Field[]>> = {
  email: [
    { name: "host" },
    { name: "port" },
    { name: "security", choices: ["starttls", "tls", "none"] },
    { name: "sender" },
    { name: "username", optional: true },
    { name: "password", secret: true, optional: true },
  ],
  webpush: [{ name: "contact" }, { name: "hosts", optional: true }],
  wecom: [{ name: "url", secret: true }],
  dingtalk: [
    { name: "url", secret: true },
    { name: "secret", secret: true, optional: true },
  ],
  feishu: [
    { name: "url", secret: true },
    { name: "secret", secret: true, optional: true },
  ],
  webhook: [{ name: "url" }, { name: "secret", secret: true }],
};
export const CHANNEL_KINDS = Object.keys(FIELDS) as readonly ChannelKind[];
