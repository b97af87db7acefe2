/** etcd's own kinds of flag values. @see etcd pkg/flags */
import { type GoFlagValue, GoSyntaxError } from "../../console/go-flag.ts";
import { UrlError, urlList } from "./url-list.ts";

type Parse = (text: string) => GoFlagValue;

/** URLs, sorted, each once. @param exceptions  texts that are taken as they are: no URLs, or all */
export function uniqueUrls(exceptions: readonly string[]): Parse {
  return (text) => {
    if (exceptions.includes(text)) return text === "" ? [] : [text];
    try {
      return [...new Set(urlList(text).map((url) => url.text))];
    } catch (error) {
      if (error instanceof UrlError) throw new GoSyntaxError(error.message);
      throw error;
    }
  };
}

/** Texts, sorted, each once. */
export const uniqueStrings: Parse = (text) => [...new Set(text.split(","))].sort();

/** From 0 on, below 1. */
export const share: Parse = (text) => {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new GoSyntaxError("must be at least 0 and below 1");
};

export function choice(...valid: readonly string[]): Parse {
  return (text) => {
    if (valid.includes(text)) return text;
    throw new GoSyntaxError("invalid value");
  };
}
