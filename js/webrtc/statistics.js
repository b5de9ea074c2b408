/** @param {any} candidate an RTCIceCandidateStats; a browser may keep the address to itself */
function text({ address, port, candidateType, protocol }) {
  const host = address?.includes(':') ? `[${address}]` : address || '?';
  return `${candidateType} ${protocol} ${host}:${port}`;
}

/**
 * What an RTCPeerConnection knows of its path, which it tells only later: each question is answered with what was known, and
 * has the next answer fetched.
 */
export class Statistics {
  /** @type {Record<string, string | undefined>} */
  #known = {};
  #isAsking = false;

  /** @param {any} connection an RTCPeerConnection */
  constructor(connection) {
    this.connection = connection;
  }

  /**
   * 'state'; 'candidate_pair', 'round_trip_time' in milliseconds; 'loss', the share of ICE's checks that have gone
   * unanswered, where the engine counts them.
   * @param {string} name
   */
  get(name) {
    if (name === 'state') return this.connection.connectionState;
    this.refresh();
    return this.#known[name];
  }

  async refresh() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      this.#read(await this.connection.getStats());
    } catch {
      // it has closed
    }
    this.#isAsking = false;
  }

  /** @param {Map<string, any>} reports */
  #read(reports) {
    const transport = [...reports.values()].find(({ type }) => type === 'transport');
    const pair = reports.get(transport?.selectedCandidatePairId);
    if (!pair) return;
    const { localCandidateId, remoteCandidateId, currentRoundTripTime: seconds } = pair;
    const [local, remote] = [reports.get(localCandidateId), reports.get(remoteCandidateId)];
    const { requestsSent: asked, responsesReceived: answered } = pair;
    this.#known = {
      candidate_pair: local && remote && `${text(local)} ${text(remote)}`,
      round_trip_time: seconds === undefined ? undefined : String(Math.round(seconds * 1e6) / 1000),
      loss: asked > 0 ? String(Math.max(0, 1 - answered / asked)) : undefined,
    };
  }
}
