import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedJava } from './java.mjs';
import { librariesIn, startScreen } from './screen.mjs';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'java-windows');
const WHAT_TO_DO =
  'Install a JDK that opens windows by hand (on Debian: apt-get install openjdk-17-jdk), then try again.';
/** What Java's windows need, and a font. */
const NEEDED = [
  'libx11-6',
  'libxext6',
  'libxi6',
  'libxrender1',
  'libxtst6',
  'libfontconfig1',
  'fonts-dejavu-core',
];
/** As the test of the example with Swing does: it opens a window, and clicks by a robot. */
const PROBE = `
class WindowProbe {
  public static void main(String[] arguments) throws Exception {
    javax.swing.SwingUtilities.invokeAndWait(() -> new javax.swing.JFrame("Probe").setVisible(true));
    new java.awt.Robot().mouseMove(1, 1);
    System.exit(0);
  }
}
`;

/** A Java that opens windows, for the example with Swing. Comes after `prepareJava` and `prepareScreen`. */
export async function prepareJavaWindows(steps) {
  const { path } = recorded('java');
  if (recorded('java-windows')?.insteadOf === path)
    return steps.upToDate('a Java that opens windows is there');
  const obtain = async (onProgress) => obtainBy(await waysToObtain(path), check, onProgress);
  const tool =
    (await firstFound([{ path }], check)) ??
    (await steps.step('getting a Java that opens windows', WHAT_TO_DO, obtain));
  record('java-windows', { ...tool, insteadOf: path });
}

/** Debian's headless JDK opens none: `libawt_xawt.so` is in a package of its own, which adds it to the same folder. */
async function waysToObtain(path) {
  const debian = await debianPackages();
  const said = await run(path, ['-XshowSettings:properties', '-version']);
  const jdk = `openjdk-${/java\.specification\.version = (\d+)/.exec(said)?.[1]}`;

  async function installWithApt(onProgress) {
    await debian.installDebianPackages([`${jdk}-jre`, ...NEEDED], onProgress);
    return { path };
  }
  async function unpackWithDpkg(onProgress) {
    const packages = ['jdk-headless', 'jre-headless', 'jre'].map((part) => `${jdk}-${part}`);
    await debian.unpackDebianPackages([...packages, ...NEEDED], folder, onProgress);
    return { path: unpackedJava(folder), libraries: await librariesIn(folder) };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

async function check(java) {
  mkdirSync(toolsFolder, { recursive: true });
  const probe = join(toolsFolder, 'WindowProbe.java');
  writeFileSync(probe, PROBE);
  const { display, stop } = await startScreen();
  const env = { DISPLAY: display, ...(java.libraries && { LD_LIBRARY_PATH: java.libraries }) };
  await run(java.path, [probe], { env }).finally(stop);
  return java;
}
