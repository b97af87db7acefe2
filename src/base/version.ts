/** What this product calls itself, and the etcd that it answers like. */

/** The package's own version. A test holds it against package.json, which is not read at run time. */
export const PRODUCT_VERSION = "0.1.0";

/** The etcd API that the commands speak, as `version` prints it. */
export const API_VERSION = "3.5";
