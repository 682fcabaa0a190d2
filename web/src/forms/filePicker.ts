import { formFields, Label, Errors } from "@bpmn-io/form-js-viewer";
import { h, type ComponentType } from "preact";
import { useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import { asProblem, type Problem } from "../api/problems";
import type { Attachment } from "../api/types";
import { SignaturePad, type SignatureTexts } from "./signaturePad";

/** What the field says; given by the caller in the reader's language. */
export interface FilePickerTexts {
  readonly choose: string;
  readonly none: string;
  readonly sending: string;
  readonly remove: (name: string) => string;
  readonly size: (bytes: number) => string;
  readonly problem: (problem: Problem) => string;
  readonly signature: SignatureTexts;
  readonly firstPage: (name: string) => string;
  readonly drop: string;
}

interface Props {
  field: {
    label?: string;
    multiple?: boolean | string;
    accept?: string;
    validate?: { required?: boolean };
    /** `kind: "signature"` has the person sign by hand instead of choosing a file. */
    properties?: { kind?: string };
  };
  value: unknown;
  domId: string;
  errors?: string[];
  disabled?: boolean;
  readonly?: boolean;
  onChange: (change: { value: Attachment[] | null }) => void;
}

// The library's own declarations type these helpers as taking anything that its JSX takes.
const FieldLabel = Label as unknown as ComponentType<{ htmlFor: string; label?: string; required?: boolean }>;
const FieldErrors = Errors as unknown as ComponentType<{ id: string; errors: string[] }>;

function attachments(value: unknown): Attachment[] {
  return Array.isArray(value) ? value.filter((item): item is Attachment => typeof item?.hash === "string") : [];
}

async function upload(file: File): Promise<Attachment> {
  const body = new FormData();
  body.append("file", file, file.name);
  return api.post<Attachment>("/attachments", body);
}

/**
 * The file field of our forms. Files are sent when they are chosen and the form's value is a list of
 * `{hash, name, size, media_type}`, so that a draft survives a reload and a returned form still shows what was attached.
 * (The library's own field holds the files in memory only, and forgets values that it did not create.)
 */
function filePicker(texts: FilePickerTexts) {
  function NoriaFilePicker({ field, value, domId, errors = [], disabled, readonly, onChange }: Props) {
    const input = useRef<HTMLInputElement>(null);
    const [sending, setSending] = useState(0);
    const [refused, setRefused] = useState<string[]>([]);
    const files = attachments(value);
    const locked = disabled || readonly;

    const signs = field.properties?.kind === "signature";

    const send = async (picked: readonly File[]) => {
      if (picked.length === 0) return;
      setSending(picked.length);
      setRefused([]);
      const stored = await Promise.allSettled(picked.map(upload));
      const good = stored.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const bad = stored.flatMap((result, at) =>
        result.status === "rejected" ? [`${picked[at]?.name ?? ""}: ${texts.problem(asProblem(result.reason))}`] : [],
      );
      setSending(0);
      setRefused(bad);
      if (input.current) input.current.value = "";
      if (good.length > 0) onChange({ value: field.multiple && !signs ? [...files, ...good] : good });
    };
    const chosen = () => send(Array.from(input.current?.files ?? []));
    const remove = (hash: string) => {
      const left = files.filter((file) => file.hash !== hash);
      onChange({ value: left.length > 0 ? left : null });
    };

    return h(
      "div",
      {
        class: "fjs-form-field fjs-form-field-filepicker",
        onDragOver: (event: DragEvent) => !locked && !signs && event.preventDefault(),
        onDrop: (event: DragEvent) => {
          if (locked || signs) return;
          event.preventDefault();
          void send(Array.from(event.dataTransfer?.files ?? []));
        },
      },
      h(FieldLabel, { htmlFor: domId, label: field.label ?? "", required: field.validate?.required ?? false }),
      signs && !locked && files.length === 0
        ? h(SignaturePad, { texts: texts.signature, onSigned: (file) => void send([file]) })
        : null,
      h("input", {
        type: "file",
        id: domId,
        ref: input,
        class: "visually-hidden",
        disabled: locked || signs,
        multiple: Boolean(field.multiple),
        accept: field.accept,
        onChange: chosen,
      }),
      !locked &&
        !signs &&
        h(
          "button",
          { type: "button", class: "btn", disabled: sending > 0, onClick: () => input.current?.click() },
          sending > 0 ? texts.sending : texts.choose,
        ),
      !locked && !signs && h("span", { class: "file-none" }, texts.drop),
      files.length === 0 && locked && h("span", { class: "file-none" }, texts.none),
      h(
        "ul",
        { class: "file-list" },
        files.map((file) =>
          h(
            "li",
            { key: file.hash },
            file.media_type.startsWith("image/") &&
              h("img", {
                src: `/api/attachments/${file.hash}`,
                alt: file.name,
                class: signs ? "file-preview signature-image" : "file-preview",
              }),
            file.media_type === "application/pdf" &&
              h("img", {
                src: `/api/attachments/${file.hash}/pages/1`,
                alt: texts.firstPage(file.name),
                loading: "lazy",
                class: "file-preview",
              }),
            h("a", { href: `/api/attachments/${file.hash}`, target: "_blank", rel: "noopener" }, file.name),
            h("span", { class: "file-size" }, texts.size(file.size)),
            !locked &&
              h(
                "button",
                {
                  type: "button",
                  class: "file-remove",
                  "aria-label": texts.remove(file.name),
                  onClick: () => remove(file.hash),
                },
                "×",
              ),
          ),
        ),
      ),
      h(FieldErrors, { id: `${domId}-error-message`, errors: [...errors, ...refused] }),
    );
  }
  NoriaFilePicker.config = {
    ...(formFields as { config: { type: string } }[]).find((field) => field.config.type === "filepicker")?.config,
  };
  return NoriaFilePicker;
}

interface FieldRegistry {
  register: (type: string, field: unknown) => void;
}

/** A module for form-js that puts our file field in place of its own. */
export function filePickerModule(texts: FilePickerTexts) {
  class NoriaFields {
    static $inject = ["formFields"];
    constructor(fields: FieldRegistry) {
      fields.register("filepicker", filePicker(texts));
    }
  }
  return { __init__: ["noriaFields"], noriaFields: ["type", NoriaFields] };
}
