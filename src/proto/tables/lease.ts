/** Leases. @see etcd api/etcdserverpb/rpc.proto */
import { RESPONSE_HEADER, type ResponseHeader } from "./header.ts";
import {
  bool,
  bytes,
  int64,
  type MessageTable,
  type Method,
  message,
  method,
  repeated,
  string,
  sub,
} from "./message-table.ts";

export interface LeaseGrantRequest {
  readonly ttl: bigint;
  readonly id: bigint;
}

export const LEASE_GRANT_REQUEST: MessageTable<LeaseGrantRequest> = message(
  "etcdserverpb.LeaseGrantRequest",
  {
    ttl: int64(1, "TTL"),
    id: int64(2, "ID"),
  },
);

export interface LeaseGrantResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  readonly ttl: bigint;
  readonly error: string;
}

export const LEASE_GRANT_RESPONSE: MessageTable<LeaseGrantResponse> = message(
  "etcdserverpb.LeaseGrantResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    id: int64(2, "ID"),
    ttl: int64(3, "TTL"),
    error: string(4),
  },
);

export interface LeaseRevokeRequest {
  readonly id: bigint;
}

export const LEASE_REVOKE_REQUEST: MessageTable<LeaseRevokeRequest> = message(
  "etcdserverpb.LeaseRevokeRequest",
  {
    id: int64(1, "ID"),
  },
);

export interface LeaseRevokeResponse {
  readonly header: ResponseHeader | undefined;
}

export const LEASE_REVOKE_RESPONSE: MessageTable<LeaseRevokeResponse> = message(
  "etcdserverpb.LeaseRevokeResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
  },
);

export interface LeaseKeepAliveRequest {
  readonly id: bigint;
}

export const LEASE_KEEP_ALIVE_REQUEST: MessageTable<LeaseKeepAliveRequest> = message(
  "etcdserverpb.LeaseKeepAliveRequest",
  {
    id: int64(1, "ID"),
  },
);

export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  readonly ttl: bigint;
}

export const LEASE_KEEP_ALIVE_RESPONSE: MessageTable<LeaseKeepAliveResponse> = message(
  "etcdserverpb.LeaseKeepAliveResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    id: int64(2, "ID"),
    ttl: int64(3, "TTL"),
  },
);

export interface LeaseTimeToLiveRequest {
  readonly id: bigint;
  readonly keys: boolean;
}

export const LEASE_TIME_TO_LIVE_REQUEST: MessageTable<LeaseTimeToLiveRequest> = message(
  "etcdserverpb.LeaseTimeToLiveRequest",
  {
    id: int64(1, "ID"),
    keys: bool(2),
  },
);

export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  readonly ttl: bigint;
  readonly grantedTtl: bigint;
  readonly keys: readonly Uint8Array[];
}

export const LEASE_TIME_TO_LIVE_RESPONSE: MessageTable<LeaseTimeToLiveResponse> = message(
  "etcdserverpb.LeaseTimeToLiveResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    id: int64(2, "ID"),
    ttl: int64(3, "TTL"),
    grantedTtl: int64(4, "grantedTTL"),
    keys: repeated(bytes(5)),
  },
);

export type LeaseLeasesRequest = Readonly<Record<never, never>>;

export const LEASE_LEASES_REQUEST: MessageTable<LeaseLeasesRequest> = message(
  "etcdserverpb.LeaseLeasesRequest",
  {},
);

export interface LeaseStatus {
  readonly id: bigint;
}

export const LEASE_STATUS: MessageTable<LeaseStatus> = message("etcdserverpb.LeaseStatus", {
  id: int64(1, "ID"),
});

export interface LeaseLeasesResponse {
  readonly header: ResponseHeader | undefined;
  readonly leases: readonly LeaseStatus[];
}

export const LEASE_LEASES_RESPONSE: MessageTable<LeaseLeasesResponse> = message(
  "etcdserverpb.LeaseLeasesResponse",
  {
    header: sub(1, () => RESPONSE_HEADER),
    leases: repeated(sub(2, () => LEASE_STATUS)),
  },
);

export const LEASE_METHODS: {
  readonly grant: Method<LeaseGrantRequest, LeaseGrantResponse>;
  readonly revoke: Method<LeaseRevokeRequest, LeaseRevokeResponse>;
  readonly keepAlive: Method<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;
  readonly timeToLive: Method<LeaseTimeToLiveRequest, LeaseTimeToLiveResponse>;
  readonly leases: Method<LeaseLeasesRequest, LeaseLeasesResponse>;
} = {
  grant: method("/etcdserverpb.Lease/LeaseGrant", LEASE_GRANT_REQUEST, LEASE_GRANT_RESPONSE),
  revoke: method("/etcdserverpb.Lease/LeaseRevoke", LEASE_REVOKE_REQUEST, LEASE_REVOKE_RESPONSE),
  keepAlive: method(
    "/etcdserverpb.Lease/LeaseKeepAlive",
    LEASE_KEEP_ALIVE_REQUEST,
    LEASE_KEEP_ALIVE_RESPONSE,
  ),
  timeToLive: method(
    "/etcdserverpb.Lease/LeaseTimeToLive",
    LEASE_TIME_TO_LIVE_REQUEST,
    LEASE_TIME_TO_LIVE_RESPONSE,
  ),
  leases: method("/etcdserverpb.Lease/LeaseLeases", LEASE_LEASES_REQUEST, LEASE_LEASES_RESPONSE),
};
