// The one class of errors, with the C library's kinds and messages.

/** Kinds by the C library's numbers (bnas_status). */
const KINDS = ["ok", "argument", "file", "format", "backend", "memory", "system", "internal"];

export class BnasError extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(kind, message, options) {
    super(message, options);
    this.name = "BnasError";
    this.kind = kind;
  }

  /**
   * @param {number} status of the C library
   * @param {string} message
   */
  static ofStatus(status, message) {
    return new BnasError(KINDS[status] ?? "internal", message);
  }
}
