/**
 * Image sets in memory, with versions, locks and the service's strictness (reference sections 12–15), for tests of
 * merging: a write locks the set until it is looked at again, a copy wants equal levels and new instances, and faults
 * come by a seeded plan.
 */
import { exact } from '../../shared/ingest/variants.ts';
import {
  type ImageSet,
  type ImageSetEditor,
  type ImageSetMetadata,
  type ImagingService,
  type InstanceEntry,
  NotConsistentYet,
  NotInDataStore,
  Throttled,
} from '../../shared/ports/imaging-service.ts';

export interface SetSeed {
  readonly imageSetId: string;
  readonly isPrimary: boolean;
  readonly createdAt: string;
  readonly patient: Record<string, unknown>;
  readonly study: Record<string, unknown>;
  readonly seriesLevel: Record<string, unknown>;
  readonly instances: Record<string, InstanceEntry>;
}

interface Held {
  version: number;
  state: 'ACTIVE' | 'LOCKED' | 'DELETED';
  workflowStatus: string;
  seed: SetSeed;
  /** The seeds of the versions so far, by number. */
  readonly versions: Map<number, SetSeed>;
  /** What the set becomes when its write is done. */
  after?: () => void;
}

export interface ServiceCall {
  readonly operation: 'update' | 'copy' | 'promote' | 'delete' | 'read';
}

/** `fault` is asked before each call: what it throws the call throws; `fails` says whether a write ends as FAILED. */
export function memoryImageSets(
  series: string,
  seeds: readonly SetSeed[],
  hooks: { fault?: (call: ServiceCall) => void; fails?: (call: ServiceCall) => boolean } = {},
) {
  const held = new Map<string, Held>(
    seeds.map((seed) => [
      seed.imageSetId,
      { version: 1, state: 'ACTIVE', workflowStatus: 'CREATED', seed, versions: new Map([[1, seed]]) },
    ]),
  );
  const calls: string[] = [];
  const enter = (operation: ServiceCall['operation']) => {
    hooks.fault?.({ operation });
    calls.push(operation);
  };
  const find = (imageSetId: string): Held => {
    const set = held.get(imageSetId);
    if (!set || set.state === 'DELETED') throw new NotInDataStore('no such image set');
    return set;
  };
  const settle = (set: Held) => {
    if (set.state !== 'LOCKED') return;
    set.state = 'ACTIVE';
    set.after?.();
    delete set.after;
    set.versions.set(set.version, set.seed);
  };
  const writable = (imageSetId: string, versionId?: string): Held => {
    const set = find(imageSetId);
    if (set.state === 'LOCKED') throw new NotConsistentYet('locked');
    if (versionId !== undefined && String(set.version) !== versionId) throw new NotConsistentYet('version');
    return set;
  };
  const documentOf = ({ seed }: Held): ImageSetMetadata => ({
    Patient: { DICOM: seed.patient },
    Study: {
      DICOM: seed.study,
      Series: { [series]: { DICOM: seed.seriesLevel, Instances: seed.instances } },
    },
  });

  const imaging: ImagingService & ImageSetEditor = {
    startImportJob: async () => Promise.reject(new Error('no jobs here')),
    importJob: async () => Promise.reject(new Error('no jobs here')),
    frame: async () => Promise.reject(new Error('no frames here')),
    tag: async () => undefined,
    searchImageSets: async function* () {
      enter('read');
      for (const [imageSetId, set] of held)
        if (set.state !== 'DELETED') yield { imageSetId, studyInstanceUID: '', seriesInstanceUID: series };
    },
    imageSet: async (imageSetId): Promise<ImageSet | undefined> => {
      enter('read');
      const set = held.get(imageSetId);
      if (!set || set.state === 'DELETED') return undefined;
      const { state, workflowStatus, version, seed } = set;
      settle(set);
      if ((set.state as string) === 'DELETED') return undefined;
      return {
        imageSetId,
        versionId: String(version),
        state,
        workflowStatus,
        isPrimary: seed.isPrimary,
        createdAt: seed.createdAt,
        arn: `arn:${imageSetId}`,
      };
    },
    metadata: async (imageSetId) => {
      enter('read');
      return documentOf(find(imageSetId));
    },
    update: async ({ imageSetId, versionId }, _, { set: added, remove }) => {
      enter('update');
      const set = writable(imageSetId, versionId);
      set.version++;
      set.state = 'LOCKED';
      const isFailing = hooks.fails?.({ operation: 'update' }) ?? false;
      const edited = (level: Record<string, unknown>, values: object, gone: readonly string[]) =>
        Object.fromEntries(Object.entries({ ...level, ...values }).filter(([key]) => !gone.includes(key)));
      set.after = () => {
        set.workflowStatus = isFailing ? 'UPDATE_FAILED' : 'UPDATED';
        if (isFailing) return;
        set.seed = {
          ...set.seed,
          patient: edited(set.seed.patient, added.Patient, remove.Patient),
          study: edited(set.seed.study, added.Study, remove.Study),
          seriesLevel: edited(set.seed.seriesLevel, added.Series, remove.Series),
        };
      };
    },
    copy: async (from, to, _, sops, { force } = { force: false }) => {
      enter('copy');
      const source = writable(from.imageSetId, from.versionId);
      const destination = writable(to.imageSetId, to.versionId);
      destination.version++;
      destination.state = 'LOCKED';
      source.state = 'LOCKED';
      const levels = ({ seed }: Held) => exact([seed.patient, seed.study, seed.seriesLevel]);
      const added = Object.fromEntries(sops.map((sop) => [sop, source.seed.instances[sop]!]));
      const isRefused =
        (!force && levels(source) !== levels(destination)) ||
        sops.some((sop) => destination.seed.instances[sop] !== undefined || !source.seed.instances[sop]) ||
        (hooks.fails?.({ operation: 'copy' }) ?? false);
      destination.after = () => {
        destination.workflowStatus = isRefused ? 'COPY_FAILED' : 'COPIED';
        if (isRefused) return;
        const { seed } = destination;
        destination.seed = { ...seed, instances: { ...seed.instances, ...added } };
      };
    },
    removeInstances: async ({ imageSetId, versionId }, _, sops) => {
      enter('update');
      const set = writable(imageSetId, versionId);
      set.version++;
      set.state = 'LOCKED';
      const isFailing = hooks.fails?.({ operation: 'update' }) ?? false;
      set.after = () => {
        set.workflowStatus = isFailing ? 'UPDATE_FAILED' : 'UPDATED';
        if (isFailing) return;
        const left = Object.entries(set.seed.instances).filter(([sop]) => !sops.includes(sop));
        set.seed = { ...set.seed, instances: Object.fromEntries(left) };
      };
    },
    promote: async (from, _, sops) => {
      enter('promote');
      const source = writable(from.imageSetId, from.versionId);
      source.state = 'LOCKED';
      const imageSetId = `promoted-${held.size}`;
      const taken = Object.fromEntries(sops.map((sop) => [sop, source.seed.instances[sop]!]));
      const seed = { ...source.seed, imageSetId, isPrimary: false, instances: {} };
      const isRefused = [...held.values()].some((set) => set.state !== 'DELETED' && set.seed.isPrimary);
      const made: Held = {
        ...{ version: 1, state: 'LOCKED', workflowStatus: 'COPYING', seed, versions: new Map() },
        after: () => {
          made.workflowStatus = isRefused ? 'COPY_FAILED' : 'COPIED';
          if (!isRefused) made.seed = { ...seed, isPrimary: true, instances: taken };
        },
      };
      held.set(imageSetId, made);
      return { imageSetId };
    },
    revert: async ({ imageSetId, versionId }, toVersionId) => {
      enter('update');
      const set = writable(imageSetId, versionId);
      const old = set.versions.get(Number(toVersionId))!;
      set.version++;
      set.state = 'LOCKED';
      set.after = () => {
        set.seed = old;
        set.workflowStatus = 'UPDATED';
      };
    },
    delete: async (imageSetId) => {
      enter('delete');
      const set = writable(imageSetId);
      set.state = 'LOCKED';
      set.after = () => {
        set.state = 'DELETED';
      };
    },
  };
  return {
    imaging,
    calls,
    /** The sets that are there, as they stand when all writes are done. */
    sets: (): SetSeed[] => {
      for (const set of held.values()) settle(set);
      return [...held.values()].filter((set) => set.state !== 'DELETED').map((set) => set.seed);
    },
  };
}

export const throttled = () => {
  throw new Throttled('a fault of a test');
};
