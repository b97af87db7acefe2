/** Markup that cannot be broken out of: whatever is put into a template is escaped, unless it is markup itself. */

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | undefined | readonly Part[];

/** Undefined is nothing, a list is its parts one after another. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((text, i) => `${text}${i < parts.length ? markupOf(parts[i]) : ""}`).join(""),
  );
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(markupOf).join("");
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for quoted attributes, in HTML and in XML. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? "");
}

/** XML cannot write control characters and lone surrogates at all: one of them, and a chart is no picture. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu, "\ufffd");
}
