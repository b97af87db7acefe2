/** What this product calls itself, and the etcd that it answers like. */

/** The package's own version. A test holds it against package.json, which is not read at run time. */
export const PRODUCT_VERSION = "0.1.0";

/** The etcd API that the commands speak, as `version` prints it. */
export const API_VERSION = "3.5";

/** The etcd that this answers like, as `Status` and `/version` tell it: clients take what they may ask for from it. */
export const ETCD_VERSION = "3.5.21";

/** Of the schema of what is stored: of etcd 3.5, whose `meta` has a term and a confState. */
export const STORAGE_VERSION = "3.5.0";
