import { describeAll } from "./all.ts";
import { librarySubject, memoryDisk } from "./library-client.ts";

describeAll(librarySubject("the library", memoryDisk));
