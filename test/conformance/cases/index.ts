/** All cases, in the order of the RFCs. */
import type { PlacedCase } from '../case.ts';
import close from './close.ts';
import compression from './compression.ts';
import control from './control.ts';
import fragmentation from './fragmentation.ts';
import framing from './framing.ts';
import inflation from './inflation.ts';
import limits from './limits.ts';
import negotiation from './negotiation.ts';
import reserved from './reserved.ts';
import takeover from './takeover.ts';
import utf8 from './utf8.ts';

export const cases: readonly PlacedCase[] = [
  ...framing,
  ...reserved,
  ...fragmentation,
  ...control,
  ...utf8,
  ...close,
  ...limits,
  ...negotiation,
  ...compression,
  ...inflation,
  ...takeover,
];
