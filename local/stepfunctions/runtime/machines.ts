/** The state machines of the world, loaded; and definitions by digest, since a running execution keeps the one it began with. */
import { createHash } from 'node:crypto';
import { loadDefinition } from '../definition/loader.ts';
import type { Definition, Scope, State } from '../definition/model.ts';
import { ServiceError } from '../errors.ts';
import type { Template } from '../evaluate/template.ts';
import type { Journal } from '../journal/journal.ts';
import { KEYS } from '../journal/records.ts';

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  /** The definition, after DefinitionSubstitutions. */
  readonly definition: object;
}

export interface LoadedMachine extends StateMachine {
  readonly loaded: Definition;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly creationDate: number;
}

export class Machines {
  readonly #journal: Journal;
  readonly #byArn = new Map<string, LoadedMachine>();
  readonly #byDigest = new Map<string, Definition>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Loads a machine. Throws DefinitionError. */
  add(machine: StateMachine, now: number): void {
    const loaded = loadDefinition(machine.name, machine.definition, machine.type);
    const digest = createHash('sha256').update(JSON.stringify(machine.definition)).digest('hex');
    this.#byDigest.set(digest, loaded);
    this.#byArn.set(machine.arn, { ...machine, loaded, digest, creationDate: now });
    this.#journal.put(KEYS.definition(digest), machine.definition);
  }

  /** Throws StateMachineDoesNotExist. */
  get(arn: string): LoadedMachine {
    const machine = this.#byArn.get(arn);
    if (machine) return machine;
    throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  all(): LoadedMachine[] {
    return [...this.#byArn.values()];
  }

  /** Throws DefinitionError when this version of the runtime does not know what an earlier one did. */
  async definition(digest: string, name: string): Promise<Definition> {
    const known = this.#byDigest.get(digest);
    if (known) return known;
    const loaded = loadDefinition(name, await this.#journal.get<object>(KEYS.definition(digest)));
    this.#byDigest.set(digest, loaded);
    return loaded;
  }
}

/** A scope that only fails: in place of a definition that cannot be loaded, so that its execution ends and says why. */
export function unrunnable(why: string): Scope {
  const text = (field: string, constant: string): Template => ({
    field,
    constant,
    freeVariables: [],
    evaluate: () => Promise.resolve(constant),
  });
  const state: State = {
    type: 'Fail',
    name: 'Unrunnable',
    retry: [],
    catch: [],
    error: text('Error', 'States.Runtime'),
    cause: text('Cause', why),
  };
  return { startAt: state.name, states: new Map([[state.name, state]]) };
}
