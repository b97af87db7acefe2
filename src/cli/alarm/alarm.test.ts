import { expect, test } from "vitest";
import { etcdctl, FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { type AlarmMember, MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";

const ALARMS: readonly AlarmMember[] = [
  { memberId: 9829954754940738069n, alarm: 1 },
  { memberId: 1n, alarm: 2 },
];
const LINES = "memberID:9829954754940738069 alarm:NOSPACE \nmemberID:1 alarm:CORRUPT \n";

function server(): FakeTransport {
  return new FakeTransport().on(MAINTENANCE_METHODS.alarm, ({ action, memberId, alarm }) => ({
    header: { memberId: 5n },
    alarms: action === 0 ? ALARMS : [{ memberId, alarm }],
  }));
}

test.each([
  ["simple", LINES],
  [
    "json",
    '{"header":{"member_id":5},"alarms":[{"memberID":9829954754940738069,"alarm":1},{"memberID":1,"alarm":2}]}\n',
  ],
  [
    "fields",
    '"ClusterID" : 0\n"MemberID" : 5\n"Revision" : 0\n"RaftTerm" : 0\n' +
      '"MemberID" : 9829954754940738069\n"AlarmType" : NOSPACE\n\n"MemberID" : 1\n"AlarmType" : CORRUPT\n\n',
  ],
])("alarm list -w %s", async (form, text) => {
  const { code, out, err } = await etcdctl(server(), ["alarm", "list", "-w", form]);
  expect([code, out, err]).toEqual([0, text, ""]);
});

test("every alarm is disarmed by itself, and printed", async () => {
  const asked = server();
  const { code, out } = await etcdctl(asked, ["alarm", "disarm"]);
  expect([code, out]).toEqual([0, LINES]);
  expect(asked.calls.map(({ request }) => request)).toEqual([
    { action: 0, memberId: 0n, alarm: 0 },
    ...ALARMS.map((alarm) => ({ action: 2, ...alarm })),
  ]);
});

test("no alarm is nothing at all", async () => {
  const quiet = new FakeTransport().on(MAINTENANCE_METHODS.alarm, {});
  for (const command of ["list", "disarm"]) {
    const { code, out } = await etcdctl(quiet, ["alarm", command]);
    expect([code, out]).toEqual([0, ""]);
    expect((await etcdctl(quiet, ["alarm", command, "-w", "json"])).out).toBe("{}\n");
  }
});

test.each(["list", "disarm"])("alarm %s takes no arguments, and no table", async (command) => {
  const refused = await etcdctl(server(), ["alarm", command, "x"]);
  expect([refused.code, refused.err]).toEqual([
    128,
    `Error: alarm ${command} command accepts no arguments\n`,
  ]);
  const { code, err } = await etcdctl(server(), ["alarm", command, "-w", "table"]);
  expect([code, err]).toEqual([4, "Error: table not supported as output format\n"]);
});

test("what a server refuses is said", async () => {
  const refusing = new FakeTransport().on(
    MAINTENANCE_METHODS.alarm,
    new EtcdError("PERMISSION_DENIED"),
  );
  const { code, err } = await etcdctl(refusing, ["alarm", "disarm"]);
  expect([code, err]).toEqual([1, "Error: etcdserver: permission denied\n"]);
});
