/**
 * What --auto-defrag says, as a tree: sums and comparisons over the sizes of the database, by the names that the users
 * of etcd-defrag know.
 */

/**
 * | name         | what                                                            |
 * | ------------ | --------------------------------------------------------------- |
 * | dbSize       | the file, as `etcdctl endpoint status` shows it                 |
 * | dbSizeInUse  | what of it the newest commit needs                              |
 * | dbSizeFree   | dbSize - dbSizeInUse: what a defragmentation would give back    |
 * | dbQuota      | --quota-backend-bytes in force; infinite if there is none       |
 * | dbQuotaUsage | dbSize / dbQuota                                                |
 */
export type SizeName = "dbSize" | "dbSizeInUse" | "dbSizeFree" | "dbQuota" | "dbQuotaUsage";

/** In bytes, but for the last. */
export const SIZE_NAMES: readonly SizeName[] = [
  "dbSize",
  "dbSizeInUse",
  "dbSizeFree",
  "dbQuota",
  "dbQuotaUsage",
];

export type Sizes = Readonly<Record<SizeName, number>>;

export type Unit = "B" | "KB" | "MB" | "GB" | "KiB" | "MiB" | "GiB";

/** `200MiB` is two hundred of them. */
export const UNIT_BYTES: Readonly<Record<Unit, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export type ArithmeticOp = "+" | "-" | "*" | "/";
export type ComparisonOp = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type LogicalOp = "&&" | "||";

/** What has a number for its value. */
export type Sum =
  /** Not negative. */
  | { readonly kind: "number"; readonly value: number; readonly unit: Unit | undefined }
  | { readonly kind: "size"; readonly name: SizeName }
  | { readonly kind: "minus"; readonly of: Sum }
  | {
      readonly kind: "arithmetic";
      readonly op: ArithmeticOp;
      readonly left: Sum;
      readonly right: Sum;
    };

/** What holds, or does not. */
export type Condition =
  | {
      readonly kind: "comparison";
      readonly op: ComparisonOp;
      readonly left: Sum;
      readonly right: Sum;
    }
  | { readonly kind: "not"; readonly of: Condition }
  | {
      readonly kind: "logical";
      readonly op: LogicalOp;
      readonly left: Condition;
      readonly right: Condition;
    };

/** How tightly they bind, as in Go; all of them from the left. */
export const PRECEDENCE: Readonly<Record<LogicalOp | ComparisonOp | ArithmeticOp, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
};
