/** The echo server, on whichever runtime runs this file. */
import { start } from './start.ts';

await start();
