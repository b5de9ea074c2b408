import { TowlineError } from './errors.js';
import { Server } from './server.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./instance.js').Instance} Instance */

/**
 * What accepts connections for a module: for a `tow_server` of its own, or with a constructor that JavaScript names. A
 * transport's file extends it.
 */
export class Listener {
  /** @param {Instance} instance */
  constructor(instance) {
    this.instance = instance;
    this.id = instance.name(this);
    /** The server in the module; 0: JavaScript's own, or no longer. */
    this.server = 0;
    /** How JavaScript's own serves. @type {import('./own-request.js').Options | undefined} */
    this.own = undefined;
    /** Its connections. @type {Set<Connection>} */
    this.clients = new Set();
  }

  /** Its server in the module, for a request of the module's. @param {number} request @returns {number} */
  create(request) {
    return this.instance.call('tow_host_listening', request, this.id);
  }

  /** The module has made it, or (0) has not. @param {number} server */
  made(server) {
    this.server = server;
    return server !== 0;
  }

  /** Serves with a constructor that JavaScript names. @param {import('./own-request.js').Options} options */
  open(options) {
    this.own = options;
  }

  /** A connection has come. @param {Connection} connection */
  accepted(connection) {
    const { instance } = this;
    instance.turn(() => {
      if (this.own) {
        connection.open(this.own);
      } else if (this.server !== 0) {
        const { id, abilities } = connection;
        connection.made(instance.call('tow_wasm_accepted', this.server, id, abilities));
      }
      if (connection.transport === 0) {
        connection.abandon(new TowlineError('ECANCELED', 'nobody waits for the connection'));
        return;
      }
      this.clients.add(connection);
      connection.lost.then(() => this.clients.delete(connection));
    });
  }

  /** The server is no more. @param {TowlineError} [_error] */
  abandon(_error) {
    this.instance.things.delete(this.id);
    this.server = 0;
    this.own = undefined;
    this.close();
  }

  /** Stop accepting. */
  close() {}

  /** It, for the user. */
  get serving() {
    return new Server(this);
  }

  /** Where a client connects to. */
  get address() {
    return '';
  }

  /** @param {string} _name @returns {string | undefined} */
  extraInfo(_name) {
    return undefined;
  }
}
