/** Every bound of the stream in one place; tests shorten the times. */
export interface StreamLimits {
  /** Between two frames of one tenant; the first after a pause goes out at once. */
  readonly frameGapMs: number
  /** The same for a round with events: somebody waits to see what happened. */
  readonly urgentGapMs: number
  /** A keyframe serves newcomers for this long; a delta brings them from it to now. */
  readonly keyframeReuseMs: number
  /** Between two FOCUS frames of one viewer and entity (SPEC F1). */
  readonly focusGapMs: number
  /** A viewer whose page is hidden is brought up to date this often. */
  readonly hiddenGapMs: number
  /** More waiting bytes than this, and a viewer gets no frame until they are gone: it is coalesced, not queued. */
  readonly bufferedBytesMax: number
  /** A viewer that has not drained for this long is closed (4008). */
  readonly stalledMsMax: number
  /** How often viewers that are behind are looked at. */
  readonly catchUpMs: number
  /** From upgrade to HELLO. */
  readonly helloMsMax: number
  readonly pingEveryMs: number
  /** Nothing heard for this long: the connection is dead. */
  readonly silentMsMax: number
  /** A session is looked up again this often, so that one ended elsewhere ends here too. */
  readonly recheckEveryMs: number
  /** How often pings, expiry and rechecks are looked at. */
  readonly sweepMs: number
  /** Client frames (pings included) a second, and at once. */
  readonly framesPerS: number
  readonly framesBurst: number
  /** Largest client frame (SPEC.md). */
  readonly clientBytesMax: number
  /** Upgrades waiting for their session's look-up, all tenants together. */
  readonly upgradesMax: number
  readonly upgradeMsMax: number
}

export const LIMITS: StreamLimits = {
  frameGapMs: 50,
  urgentGapMs: 4,
  keyframeReuseMs: 2_000,
  focusGapMs: 1_000,
  hiddenGapMs: 1_000,
  bufferedBytesMax: 256 * 1024,
  stalledMsMax: 15_000,
  catchUpMs: 250,
  helloMsMax: 5_000,
  pingEveryMs: 15_000,
  silentMsMax: 40_000,
  recheckEveryMs: 30_000,
  sweepMs: 1_000,
  framesPerS: 20,
  framesBurst: 60,
  clientBytesMax: 64 * 1024,
  upgradesMax: 256,
  upgradeMsMax: 10_000,
}
