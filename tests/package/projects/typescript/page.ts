// In a page, of which nothing of Node is known.
import { Loop } from 'towline';
import { bridged } from 'towline/bridge';

export * from './common.js';

export const loop = new Loop({
  transports: { ...bridged('wss://gateway.example/', { names: { 'tcp://redis:6379': 'redis' } }) },
});
// @ts-expect-error: only Node has descriptors
loop.connectReadPipe(0, () => ({}));
