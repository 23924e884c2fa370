export declare const CODEC_ASSETS: readonly string[];
export declare function locateAsset(asset: string, folder: string): string | undefined;
