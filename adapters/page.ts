/**
 * The page's files, read once: what is served is known before the first request comes, so that none can reach further.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { PageFile } from '../core/app.ts';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Reads every file of the folder that has a type which a page can use. */
export function readPage(folder: URL): Map<string, PageFile> {
  const page = new Map<string, PageFile>();
  for (const name of readdirSync(folder).sort()) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type !== undefined) page.set(name, { type, bytes: new Uint8Array(readFileSync(new URL(name, folder))) });
  }
  return page;
}
