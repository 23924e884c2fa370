/**
 * Instances of the WebAssembly codecs. Each instance is silent, is made from the compiled module in about a
 * millisecond, and is dropped after any doubt: an instance that has once failed is never asked again.
 */
import charLs from '@cornerstonejs/codec-charls/decodewasmjs';
import openJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import openJph from '@cornerstonejs/codec-openjph';
import { CodecError } from './errors.ts';
import type { Jpeg2000EncoderModule } from './htj2k/encode-jpeg2000.ts';
import type { OpenJpegModule } from './htj2k/openjpeg.ts';
import type { OpenJphModule } from './htj2k/openjph.ts';
import type { CharLsModule } from './jpeg/decode-ls.ts';
import { createNativeCodecs, type NativeCodecs } from './jpeg/native-codecs.ts';

/** The part of the WebAssembly API that we use; it is the same in Node and browsers, but typed in `lib.dom` only. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

interface Modules {
  openJph: OpenJphModule;
  openJpeg: OpenJpegModule;
  jpeg2000Encoder: Jpeg2000EncoderModule;
  charLs: CharLsModule;
  jpeg: NativeCodecs;
}
export type CodecName = keyof Modules;
export type CodecModule<Name extends CodecName> = Modules[Name];

interface Living {
  readonly HEAPU8: Uint8Array;
}
type Start = (module: object) => Promise<Living>;

export interface CodecPart {
  /** Its WebAssembly file, relative to node_modules. */
  readonly wasm: string;
  readonly start: Start;
}
export type CodecParts = Readonly<Partial<Record<CodecName, CodecPart>>>;

const CODECS: CodecParts = {
  openJph: { wasm: '@cornerstonejs/codec-openjph/dist/openjphjs.wasm', start: emscripten(openJph) },
  openJpeg: {
    wasm: '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
    start: emscripten(openJpeg),
  },
  charLs: { wasm: '@cornerstonejs/codec-charls/dist/charlswasm_decode.wasm', start: emscripten(charLs) },
  jpeg: {
    wasm: 'dcmjs-codecs/build/dcmjs-native-codecs.wasm',
    start: async (module) =>
      createNativeCodecs((imports) => new webAssembly.Instance(module, imports).exports),
  },
};

/** What an Emscripten factory takes from us. */
interface EmscriptenOptions {
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(imports: object, done: (instance: object, module: object) => void): object;
}

/** Lines that a codec may leave unread. */
const KEPT_MESSAGES = 20;

/** Starts an Emscripten codec on a compiled module; what it prints is kept for `takeMessages`. */
export function emscripten(factory: unknown): Start {
  return async (module) => {
    let messages: string[] = [];
    const keep = (line: string) => {
      if (messages.length < KEPT_MESSAGES) messages.push(line);
    };
    const options: EmscriptenOptions = {
      print: keep,
      printErr: keep,
      instantiateWasm(imports, done) {
        const instance = new webAssembly.Instance(module, imports);
        done(instance, module);
        return instance.exports;
      },
    };
    const living = await (factory as (options: EmscriptenOptions) => Promise<Living>)(options);
    const takeMessages = () => {
      const taken = messages;
      messages = [];
      return taken;
    };
    return Object.assign(living, { takeMessages });
  };
}

/** Gives the bytes of a codec's WebAssembly file, named as in codec-assets.mjs. */
export type LoadWasm = (asset: string) => Promise<Uint8Array<ArrayBuffer>>;

export interface CodecModules {
  /** Runs the codec; after any error its instance is forgotten, and the next run gets a fresh one. */
  use<Name extends CodecName, T>(name: Name, run: (module: Modules[Name]) => T): Promise<T>;
  /** Bytes of WebAssembly memory held by the living instances. */
  heapBytes(): number;
}

/** `more`: codecs that not everybody carries. */
export function createCodecModules(loadWasm: LoadWasm, more: CodecParts = {}): CodecModules {
  const parts: CodecParts = { ...CODECS, ...more };
  const compiled = new Map<CodecName, Promise<object>>();
  const instances = new Map<CodecName, Living>();

  function partOf(name: CodecName): CodecPart {
    const part = parts[name];
    if (!part) throw new CodecError('FrameUnsupported', `the codec ${name} is not part of this program`);
    return part;
  }

  function compile(name: CodecName): Promise<object> {
    const known = compiled.get(name);
    if (known) return known;
    const made = loadWasm(partOf(name).wasm).then((bytes) => webAssembly.compile(bytes));
    compiled.set(name, made);
    made.catch(() => compiled.delete(name));
    return made;
  }

  async function instance(name: CodecName): Promise<Living> {
    const living = instances.get(name);
    if (living) return living;
    const part = partOf(name);
    try {
      const started = await part.start(await compile(name));
      instances.set(name, started);
      return started;
    } catch (cause) {
      throw new CodecError('CodecCrashed', `the codec ${name} did not start`, {}, { cause });
    }
  }

  return {
    async use<Name extends CodecName, T>(name: Name, run: (module: Modules[Name]) => T): Promise<T> {
      const module = (await instance(name)) as Modules[Name] & Living;
      try {
        return run(module);
      } catch (error) {
        instances.delete(name);
        throw error;
      }
    },
    heapBytes: () => [...instances.values()].reduce((sum, { HEAPU8 }) => sum + HEAPU8.length, 0),
  };
}
