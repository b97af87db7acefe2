import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";

export const PEER_URLS: FlagSpec = {
  name: "peer-urls",
  kind: "string",
  default: "",
  help: "comma separated peer URLs of the member",
};

/** As they were typed. @throws Failure 128 if there are none */
export function peerUrls({ flags }: Arguments): readonly string[] {
  const text = flags.text(PEER_URLS.name);
  if (text === "") throw new Failure(EXIT_BAD_ARGS, "member peer urls not provided");
  return text.split(",");
}

/** What a server would refuse, or worse, is found here. @throws Failure in etcd's words */
export async function checkPeerUrls(urls: readonly string[]): Promise<void> {
  const { UrlError, urlList } = await import("../../server/config/url-list.ts");
  try {
    urlList(urls.join(","));
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new Failure(EXIT_ERROR, error.message);
  }
}
