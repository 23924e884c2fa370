/**
 * Instances of the WebAssembly codecs. Each instance is silent, is made from the compiled module in about a
 * millisecond, and is dropped after any doubt: an instance that has once failed is never asked again.
 */
import openJph from '@cornerstonejs/codec-openjph';
import { CodecError } from './errors.ts';
import type { OpenJphModule } from './htj2k/openjph.ts';

/** The part of the WebAssembly API that we use; it is the same in Node and browsers, but typed in `lib.dom` only. */
interface WebAssemblyApi {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** What an Emscripten factory takes from us. */
interface EmscriptenOptions {
  print(): void;
  printErr(): void;
  instantiateWasm(imports: object, done: (instance: object, module: object) => void): object;
}
type Factory = (options: EmscriptenOptions) => Promise<unknown>;

interface Modules {
  openJph: OpenJphModule & { readonly HEAPU8: Uint8Array };
}
export type CodecName = keyof Modules;

const FACTORIES: Record<CodecName, { factory: Factory; wasm: string }> = {
  openJph: {
    factory: openJph as unknown as Factory,
    wasm: '@cornerstonejs/codec-openjph/dist/openjphjs.wasm',
  },
};

/** Gives the bytes of a codec's WebAssembly file, named as in codec-assets.mjs. */
export type LoadWasm = (asset: string) => Promise<Uint8Array<ArrayBuffer>>;

export interface CodecModules {
  get<Name extends CodecName>(name: Name): Promise<Modules[Name]>;
  /** Forgets an instance: the next `get` makes a fresh one. */
  drop(name: CodecName): void;
  /** Bytes of WebAssembly memory held by the living instances. */
  heapBytes(): number;
}

export function createCodecModules(loadWasm: LoadWasm): CodecModules {
  const compiled = new Map<CodecName, Promise<object>>();
  const instances = new Map<CodecName, { readonly HEAPU8: Uint8Array }>();

  async function instantiate(name: CodecName): Promise<{ readonly HEAPU8: Uint8Array }> {
    const { factory, wasm } = FACTORIES[name];
    if (!compiled.has(name))
      compiled.set(
        name,
        loadWasm(wasm).then((bytes) => webAssembly.compile(bytes)),
      );
    const module = await compiled.get(name)!;
    const options: EmscriptenOptions = {
      print: () => {},
      printErr: () => {},
      instantiateWasm(imports, done) {
        const instance = new webAssembly.Instance(module, imports);
        done(instance, module);
        return instance.exports;
      },
    };
    try {
      return (await factory(options)) as { readonly HEAPU8: Uint8Array };
    } catch (cause) {
      throw new CodecError('CodecCrashed', `the codec ${name} did not start`, {}, { cause });
    }
  }

  return {
    async get<Name extends CodecName>(name: Name): Promise<Modules[Name]> {
      const living = instances.get(name) ?? (await instantiate(name));
      instances.set(name, living);
      return living as Modules[Name];
    },
    drop: (name) => void instances.delete(name),
    heapBytes: () => [...instances.values()].reduce((sum, instance) => sum + instance.HEAPU8.length, 0),
  };
}
