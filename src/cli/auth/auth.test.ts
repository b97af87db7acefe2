import { describe, expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { AUTH_METHODS, type Permission } from "../../proto/tables/auth.ts";

const HEADER = { clusterId: 1n, memberId: 2n, revision: 3n, raftTerm: 4n };
const HEADER_FIELDS = '"ClusterID" : 1\n"MemberID" : 2\n"Revision" : 3\n"RaftTerm" : 4\n';
const HEADER_JSON = '{"cluster_id":1,"member_id":2,"revision":3,"raft_term":4}';

/** Answers everything with a header. */
function server(): FakeTransport {
  const transport = new FakeTransport();
  for (const method of Object.values(AUTH_METHODS)) {
    transport.on(method as typeof AUTH_METHODS.userAdd, { header: HEADER });
  }
  return transport;
}

describe("what says no more than that it was done", () => {
  test.each([
    [
      "user add u:p:w",
      "User u created",
      { name: "u", password: "p:w", options: { noPassword: false } },
    ],
    ["user add u:", "User u created", { name: "u", password: "", options: { noPassword: false } }],
    [
      "user add u:p --new-user-password=x",
      "User u:p created",
      { name: "u:p", password: "x", options: { noPassword: false } },
    ],
    [
      "user add u:p --no-password",
      "User u:p created",
      { name: "u:p", options: { noPassword: true } },
    ],
    ["user delete u", "User u deleted", { name: "u" }],
    ["user grant-role u r", "Role r is granted to user u", { user: "u", role: "r" }],
    ["user revoke-role u r", "Role r is revoked from user u", { name: "u", role: "r" }],
    ["role add r", "Role r created", { name: "r" }],
    ["role delete r", "Role r deleted", { role: "r" }],
    [
      "role grant-permission r ReadWrite a c extra",
      "Role r updated",
      { name: "r", perm: permission(2, "a", "c") },
    ],
    [
      "role grant-permission r read a",
      "Role r updated",
      { name: "r", perm: permission(0, "a", "") },
    ],
    [
      "role grant-permission --prefix r write a",
      "Role r updated",
      { name: "r", perm: permission(1, "a", "b") },
    ],
    [
      "role revoke-permission r a",
      "Permission of key a is revoked from role r",
      { role: "r", key: bytes("a"), rangeEnd: bytes("") },
    ],
    [
      "role revoke-permission r a c",
      "Permission of range [a, c) is revoked from role r",
      { role: "r", key: bytes("a"), rangeEnd: bytes("c") },
    ],
    [
      "role revoke-permission r z --from-key",
      "Permission of range [z, <open ended> is revoked from role r",
      { role: "r", key: bytes("z"), rangeEnd: bytes("\0") },
    ],
  ])("%s", async (line, said, request) => {
    const asked = server();
    const args = line.split(" ");
    const { code, out, err } = await etcdctl(asked, args);
    expect([code, out, err]).toEqual([0, `${said}\n`, ""]);
    expect(asked.calls).toHaveLength(1);
    expect(asked.calls[0]?.request).toMatchObject(request);
    expect(asked.calls[0]?.settings.timeoutMs).toBeUndefined();
    expect((await etcdctl(asked, [...args, "-w", "fields"])).out).toBe(HEADER_FIELDS);
    expect((await etcdctl(asked, [...args, "-w", "json"])).out).toBe(`{"header":${HEADER_JSON}}\n`);
    const table = await etcdctl(asked, [...args, "-w", "table"]);
    expect([table.code, table.err]).toEqual([4, "Error: table not supported as output format\n"]);
  });

  test("an empty key stands for all keys with --prefix or --from-key, and for the least one without", async () => {
    const asked = server();
    for (const flags of [["--prefix"], ["--from-key"], []]) {
      await etcdctl(asked, ["role", "grant-permission", "r", "read", "", "end", ...flags]);
    }
    expect(asked.calls.map(({ request }) => request)).toMatchObject([
      { perm: permission(0, "\0", "\0") },
      { perm: permission(0, "\0", "\0") },
      { perm: permission(0, "\0", "") },
    ]);
  });
});

function permission(permType: number, key: string, rangeEnd: string): Permission {
  return { permType, key: bytes(key), rangeEnd: bytes(rangeEnd) };
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

describe("passwords", () => {
  const PROMPTS = "Password of u: \nType password of u again for confirmation: \n";

  test.each([
    ["user add u", "secret\nsecret\n", "User u created", "secret"],
    ["user passwd u", "secret\nsecret", "Password updated", "secret"],
  ])("%s asks twice", async (line, stdin, said, password) => {
    const asked = server();
    const { code, out } = await etcdctl(asked, line.split(" "), { stdin });
    expect([code, out]).toEqual([0, `${PROMPTS}${said}\n`]);
    expect(asked.calls[0]?.request).toMatchObject({ name: "u", password });
  });

  test.each([
    ["\n", "Password of u: \n", "empty password"],
    ["", "Password of u: \n", "empty password"],
    ["a\nb\n", PROMPTS, "given passwords are different"],
  ])("%j is refused", async (stdin, prompts, message) => {
    const asked = server();
    const { code, out, err } = await etcdctl(asked, ["user", "add", "u"], { stdin });
    expect([code, out, err]).toEqual([128, prompts, `Error: ${message}\n`]);
    expect(asked.calls).toEqual([]);
  });

  test.each([
    ["word\n", "word"],
    ["  word and more\n", "word"],
    ["\nword\n", ""],
    ["", ""],
  ])("without asking, %j has the word %j", async (stdin, password) => {
    const asked = server();
    const args = ["user", "passwd", "u", "--interactive=false"];
    const { out } = await etcdctl(asked, args, { stdin });
    expect(out).toBe("Password updated\n");
    expect(asked.calls[0]?.request).toMatchObject({ password });
  });
});

describe("role get", () => {
  const perm = [
    permission(0, "a", "c"),
    permission(2, "foo", ""),
    permission(1, "p/", "p0"),
    permission(0, "z", "\0"),
  ];
  const role = (perms: readonly Permission[]): FakeTransport =>
    server().on(AUTH_METHODS.roleGet, { header: HEADER, perm: perms });

  test("in all forms", async () => {
    expect((await etcdctl(role(perm), ["role", "get", "r"])).out).toBe(
      "Role r\nKV Read:\n\t[a, c)\n\tfoo\n\t[z, <open ended>\nKV Write:\n\tfoo\n\t[p/, p0) (prefix p/)\n",
    );
    expect((await etcdctl(role(perm), ["role", "get", "r", "-w", "fields"])).out).toBe(
      `${HEADER_FIELDS}"PermType" :  READ\n"Key" : "a"\n"RangeEnd" : "c"\n` +
        '"PermType" :  READWRITE\n"Key" : "foo"\n"RangeEnd" : ""\n' +
        '"PermType" :  WRITE\n"Key" : "p/"\n"RangeEnd" : "p0"\n' +
        '"PermType" :  READ\n"Key" : "z"\n"RangeEnd" : "\\x00"\n',
    );
  });

  test("the root role may do everything, whatever stands there; another without permissions nothing", async () => {
    expect((await etcdctl(role([]), ["role", "get", "root"])).out).toBe(
      "Role root\nKV Read:\n\t[, <open ended>\nKV Write:\n\t[, <open ended>\n",
    );
    expect((await etcdctl(role([]), ["role", "get", "r"])).out).toBe(
      "Role r\nKV Read:\nKV Write:\n",
    );
  });

  test("user get --detail has the text of each role", async () => {
    const asked = role([permission(0, "k", "")]).on(AUTH_METHODS.userGet, { roles: ["r1", "r2"] });
    expect((await etcdctl(asked, ["user", "get", "u", "--detail"])).out).toBe(
      "User: u\n\nRole r1\nKV Read:\n\tk\nKV Write:\n\nRole r2\nKV Read:\n\tk\nKV Write:\n",
    );
    expect((await etcdctl(asked, ["user", "get", "u"])).out).toBe("User: u\nRoles: r1 r2\n");
  });
});

test("lists", async () => {
  const users = server().on(AUTH_METHODS.userList, { header: HEADER, users: ["a", "b"] });
  expect((await etcdctl(users, ["user", "list"])).out).toBe("a\nb\n");
  const refused = await etcdctl(users, ["user", "list", "-w", "fields"]);
  expect([refused.code, refused.err]).toEqual([
    4,
    "Error: fields not supported as output format\n",
  ]);
  const roles = server().on(AUTH_METHODS.roleList, { header: HEADER, roles: ["a", 'b"'] });
  expect((await etcdctl(roles, ["role", "list"])).out).toBe('a\nb"\n');
  const fields = await etcdctl(roles, ["role", "list", "-w", "fields"]);
  expect(fields.out).toBe(`${HEADER_FIELDS}"Roles" : "a" "b\\""\n`);
});

describe("auth", () => {
  test("enable makes the root role and grants it, if that is all that is missing", async () => {
    let tries = 0;
    const asked = server().on(AUTH_METHODS.enable, () =>
      tries++ === 0 ? new EtcdError("ROOT_ROLE_NOT_EXIST") : {},
    );
    const { code, out } = await etcdctl(asked, ["auth", "enable", "-w", "json"]);
    expect([code, out]).toEqual([0, "Authentication Enabled\n"]);
    expect(asked.calls.map(({ path }) => path.split("/").at(-1))).toEqual([
      "AuthEnable",
      "RoleAdd",
      "UserGrantRole",
      "AuthEnable",
    ]);
    expect(asked.calls[2]?.request).toEqual({ user: "root", role: "root" });
  });

  test("enable gives up when that cannot be done", async () => {
    const asked = server()
      .on(AUTH_METHODS.enable, new EtcdError("ROOT_ROLE_NOT_EXIST"))
      .on(AUTH_METHODS.roleAdd, new EtcdError("ROLE_ALREADY_EXIST"));
    const { code, err } = await etcdctl(asked, ["auth", "enable"]);
    expect([code, err]).toEqual([1, "Error: etcdserver: role name already exists\n"]);
  });

  test("disable, status", async () => {
    const asked = server().on(AUTH_METHODS.status, {
      header: HEADER,
      enabled: true,
      authRevision: 9n,
    });
    expect((await etcdctl(asked, ["auth", "disable"])).out).toBe("Authentication Disabled\n");
    expect((await etcdctl(asked, ["auth", "status"])).out).toBe(
      "Authentication Status: true\nAuthRevision: 9\n",
    );
    expect((await etcdctl(asked, ["auth", "status", "-w", "json"])).out).toBe(
      `{"header":${HEADER_JSON},"enabled":true,"authRevision":9}\n`,
    );
    expect((await etcdctl(asked, ["auth", "status", "-w", "fields"])).code).toBe(4);
  });
});

test.each([
  ["auth enable x", "auth enable command does not accept any arguments"],
  ["auth disable x", "auth disable command does not accept any arguments"],
  ["auth status x", "auth status command does not accept any arguments"],
  ["user add", "user add command requires user name as its argument"],
  ["user add :p", "empty user name is not allowed"],
  ["user delete", "user delete command requires user name as its argument"],
  ["user get a b", "user get command requires user name as its argument"],
  ["user passwd", "user passwd command requires user name as its argument"],
  ["user list x", "user list command requires no arguments"],
  ["user grant-role u", "user grant command requires user name and role name as its argument"],
  ["user revoke-role u", "user revoke-role requires user name and role name as its argument"],
  ["role add", "role add command requires role name as its argument"],
  ["role delete", "role delete command requires role name as its argument"],
  ["role get a b", "role get command requires role name as its argument"],
  ["role list x", "role list command requires no arguments"],
  [
    "role grant-permission r read",
    "role grant command requires role name, permission type, and key [endkey] as its argument",
  ],
  ["role grant-permission r bogus k", "invalid permission type: bogus"],
  [
    "role revoke-permission r",
    "role revoke-permission command requires role name and key [endkey] as its argument",
  ],
  [
    "role grant-permission r read k --prefix --from-key",
    "--from-key and --prefix flags are mutually exclusive",
  ],
  ["role grant-permission r read a c --prefix", "unexpected endkey argument with --prefix flag"],
  ["role revoke-permission r a c --from-key", "unexpected endkey argument with --from-key flag"],
])("%s is refused before anybody is asked", async (line, message) => {
  const asked = server();
  const { code, out, err } = await etcdctl(asked, line.split(" "));
  expect([code, out, err]).toEqual([128, "", `Error: ${message}\n`]);
  expect(asked.calls).toEqual([]);
});
