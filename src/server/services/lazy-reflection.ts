/** Server reflection, whose descriptors are loaded when somebody asks: see lazy-service.ts. */
import { reflectionServices } from "../../grpc/reflection.ts";
import type { Service } from "../../grpc/service.ts";

/** @param others  all services of the server but these two */
export function lazyReflection(others: readonly Service[]): readonly Service[] {
  return reflectionServices(others, async () => {
    const { descriptors } = await import("../../proto/descriptors.ts");
    return [...descriptors().files.values()].map(({ bytes }) => bytes);
  });
}
