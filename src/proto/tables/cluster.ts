/** The members of a cluster. @see etcd api/etcdserverpb/rpc.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import {
  bool,
  type MessageTable,
  type Method,
  message,
  method,
  repeated,
  string,
  sub,
  uint64,
} from "./message-table.ts";

export interface Member {
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export const MEMBER: MessageTable<Member> = message("etcdserverpb.Member", {
  id: uint64(1, "ID"),
  name: string(2),
  peerUrls: repeated(string(3, "peerURLs")),
  clientUrls: repeated(string(4, "clientURLs")),
  isLearner: bool(5, "isLearner"),
});

export interface MemberAddRequest {
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

export const MEMBER_ADD_REQUEST: MessageTable<MemberAddRequest> = message(
  "etcdserverpb.MemberAddRequest",
  {
    peerUrls: repeated(string(1, "peerURLs")),
    isLearner: bool(2, "isLearner"),
  },
);

export interface MemberAddResponse {
  readonly header: ResponseHeader | undefined;
  readonly member: Member | undefined;
  readonly members: readonly Member[];
}

export const MEMBER_ADD_RESPONSE: MessageTable<MemberAddResponse> = message(
  "etcdserverpb.MemberAddResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    member: sub(2, () => MEMBER),
    members: repeated(sub(3, () => MEMBER)),
  },
);

export interface MemberRemoveRequest {
  readonly id: bigint;
}

export const MEMBER_REMOVE_REQUEST: MessageTable<MemberRemoveRequest> = message(
  "etcdserverpb.MemberRemoveRequest",
  {
    id: uint64(1, "ID"),
  },
);

export interface MemberRemoveResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}

export const MEMBER_REMOVE_RESPONSE: MessageTable<MemberRemoveResponse> = message(
  "etcdserverpb.MemberRemoveResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    members: repeated(sub(2, () => MEMBER)),
  },
);

export interface MemberUpdateRequest {
  readonly id: bigint;
  readonly peerUrls: readonly string[];
}

export const MEMBER_UPDATE_REQUEST: MessageTable<MemberUpdateRequest> = message(
  "etcdserverpb.MemberUpdateRequest",
  {
    id: uint64(1, "ID"),
    peerUrls: repeated(string(2, "peerURLs")),
  },
);

export interface MemberUpdateResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}

export const MEMBER_UPDATE_RESPONSE: MessageTable<MemberUpdateResponse> = message(
  "etcdserverpb.MemberUpdateResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    members: repeated(sub(2, () => MEMBER)),
  },
);

export interface MemberListRequest {
  readonly linearizable: boolean;
}

export const MEMBER_LIST_REQUEST: MessageTable<MemberListRequest> = message(
  "etcdserverpb.MemberListRequest",
  {
    linearizable: bool(1),
  },
);

export interface MemberListResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}

export const MEMBER_LIST_RESPONSE: MessageTable<MemberListResponse> = message(
  "etcdserverpb.MemberListResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    members: repeated(sub(2, () => MEMBER)),
  },
);

export interface MemberPromoteRequest {
  readonly id: bigint;
}

export const MEMBER_PROMOTE_REQUEST: MessageTable<MemberPromoteRequest> = message(
  "etcdserverpb.MemberPromoteRequest",
  {
    id: uint64(1, "ID"),
  },
);

export interface MemberPromoteResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}

export const MEMBER_PROMOTE_RESPONSE: MessageTable<MemberPromoteResponse> = message(
  "etcdserverpb.MemberPromoteResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    members: repeated(sub(2, () => MEMBER)),
  },
);

export const CLUSTER_METHODS: {
  readonly add: Method<MemberAddRequest, MemberAddResponse>;
  readonly remove: Method<MemberRemoveRequest, MemberRemoveResponse>;
  readonly update: Method<MemberUpdateRequest, MemberUpdateResponse>;
  readonly list: Method<MemberListRequest, MemberListResponse>;
  readonly promote: Method<MemberPromoteRequest, MemberPromoteResponse>;
} = {
  add: method("/etcdserverpb.Cluster/MemberAdd", MEMBER_ADD_REQUEST, MEMBER_ADD_RESPONSE),
  remove: method(
    "/etcdserverpb.Cluster/MemberRemove",
    MEMBER_REMOVE_REQUEST,
    MEMBER_REMOVE_RESPONSE,
  ),
  update: method(
    "/etcdserverpb.Cluster/MemberUpdate",
    MEMBER_UPDATE_REQUEST,
    MEMBER_UPDATE_RESPONSE,
  ),
  list: method("/etcdserverpb.Cluster/MemberList", MEMBER_LIST_REQUEST, MEMBER_LIST_RESPONSE),
  promote: method(
    "/etcdserverpb.Cluster/MemberPromote",
    MEMBER_PROMOTE_REQUEST,
    MEMBER_PROMOTE_RESPONSE,
  ),
};
