// Compiles crc32c.wat into crc32c-wasm.ts, which is committed, so that nobody needs a compiler to install or run.
//
//   node native-free/wasm/build.mjs           writes crc32c-wasm.ts
//   node native-free/wasm/build.mjs --check   writes nothing; fails if crc32c-wasm.ts is not what would be written
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = new URL("./crc32c.wat", import.meta.url);
const target = new URL("./crc32c-wasm.ts", import.meta.url);

const features = { simd: true, bulk_memory: true };
const module = (await wabt()).parseWat("crc32c.wat", readFileSync(source, "utf8"), features);
module.resolveNames();
module.validate(features);
const { buffer: wasm } = module.toBinary({ write_debug_names: false });
const text = `// Generated from crc32c.wat by \`npm run build:wasm\`: edit that file, not this one.
/** The WebAssembly module of crc32c.wat, ${wasm.length} bytes in base64. */
export const CRC32C_WASM: string =
  "${Buffer.from(wasm).toString("base64")}";
`;

if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (readFileSync(target, "utf8") !== text) {
  console.error("crc32c-wasm.ts is not what crc32c.wat compiles to: run `npm run build:wasm`");
  process.exitCode = 1;
} else {
  console.log(`crc32c-wasm.ts is crc32c.wat: ${wasm.length} bytes`);
}
