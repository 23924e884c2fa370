/** Codes of what a person decides about: whose it is, or which content is right. */
export const HELD_CODES = ['IdentityConflict', 'InstanceConflict'] as const;
export type HeldCode = (typeof HELD_CODES)[number];
