// Runs the Slack of the npm package "emulate" on loopback until standard input ends. Arguments: the package's entry, the seed as JSON. Prints its address.
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';

const [entry, seed] = process.argv.slice(2);
const { createEmulator } = await import(pathToFileURL(entry).href);

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const emulator = await createEmulator({ service: 'slack', port: await freePort(), seed: JSON.parse(seed) });
console.log(emulator.url);
process.stdin.resume().once('end', async () => {
  await emulator.close();
  process.exit(0);
});
