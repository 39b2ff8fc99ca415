// What the provider remembers, in memory: it fulfils oidc-provider's adapter, and is what the tests' verbs work on.
// Nothing is forgotten by itself, so that a token that is over can be told from one that never was.

const TOKENS = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode'];

export class Store {
  #items = new Map();
  #client;
  issued = { AccessToken: [], RefreshToken: [], AuthorizationCode: [], DeviceCode: [] };

  // `client` gives the metadata of a client by its id, as they are now.
  constructor(client) {
    this.#client = client;
  }

  // One adapter for each model, as the library asks for them.
  adapter = (model) => new Adapter(model, this, this.#client);

  of(model) {
    if (!this.#items.has(model)) this.#items.set(model, new Map());
    return this.#items.get(model);
  }

  // Forget all tokens of a grant.
  dropTokens(grantId) {
    for (const model of TOKENS) {
      for (const [id, payload] of this.of(model)) {
        if (payload.grantId === grantId) this.of(model).delete(id);
      }
    }
  }

  // What a person does on the account page: take back all that was granted. Returns how many grants there were.
  revokeUser(user) {
    const grants = [...this.of('Grant')].filter(([, grant]) => grant.accountId === user);
    for (const [id] of grants) {
      this.dropTokens(id);
      this.of('Grant').delete(id);
    }
    return grants.length;
  }

  // Let the access tokens of `user`, or of everybody, be over now.
  expireAccessTokens(user) {
    for (const payload of this.of('AccessToken').values()) {
      if (!user || payload.accountId === user) payload.exp = Math.floor(Date.now() / 1000) - 1;
    }
  }
}

class Adapter {
  constructor(model, store, client) {
    this.model = model;
    this.store = store;
    this.client = client;
  }

  get items() {
    return this.store.of(this.model);
  }

  async upsert(id, payload) {
    if (this.model in this.store.issued && !this.items.has(id)) this.store.issued[this.model].push(id);
    this.items.set(id, payload);
  }

  async find(id) {
    return this.model === 'Client' ? this.client(id) : this.items.get(id);
  }

  async findByUid(uid) {
    return [...this.items.values()].find((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return [...this.items.values()].find((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    this.items.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.items.delete(id);
  }

  async revokeByGrantId(grantId) {
    this.store.dropTokens(grantId);
  }
}
