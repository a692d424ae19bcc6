/** Says that a peer is ready, in the one way the benchmark reads. */
export const ready = (port: number | undefined): void => console.log(`listening on http://127.0.0.1:${port}`);
