/** Certificates, with redis-py's names. What is not given: the server's certificate is checked against the system's authorities. */
export interface SslOptions {
  /** Default "required". "none" talks to whoever answers. */
  readonly ssl_cert_reqs?:
    | "required"
    | "optional"
    | "none"
    | "CERT_REQUIRED"
    | "CERT_OPTIONAL"
    | "CERT_NONE"
    | undefined;
  /** File of the authorities that are believed. */
  readonly ssl_ca_certs?: string | undefined;
  /** Our certificate, where the server asks for one, and its key. */
  readonly ssl_certfile?: string | undefined;
  readonly ssl_keyfile?: string | undefined;
  readonly ssl_password?: string | undefined;
  readonly ssl_check_hostname?: boolean | undefined;
}

/** What the broker's connections and the result store's may both be told. `null`: not set. */
export interface ServerOptions {
  /** Before every key and channel. */
  readonly global_keyprefix: string | null;
  /** Sentinel only: the name under which the server is watched. */
  readonly master_name: string | null;
  readonly min_other_sentinels: number | null;
  /** Sentinel only: how to talk to the Sentinels themselves. */
  readonly sentinel_kwargs: Readonly<Record<string, unknown>> | null;
}

/** How sockets behave. Seconds. */
export interface SocketOptions {
  /** Silence after which a connection that owes an answer is given up. Default 5, at least 2. */
  readonly socket_timeout: number | null;
  /** Wins over `broker_connection_timeout`. */
  readonly socket_connect_timeout: number | null;
  readonly socket_keepalive: boolean | null;
  /** Connections that only listen are asked for a sign of life this often; 0 for never. Default 15. */
  readonly health_check_interval: number | null;
  /** Shown by `CLIENT LIST`. */
  readonly client_name: string | null;
  /** Understood, and of no effect: one connection carries everything, and what was not answered is asked again anyway. */
  readonly max_connections: number | null;
  readonly retry_on_timeout: boolean | null;
}

export interface BrokerTransportOptions extends ServerOptions, SocketOptions {
  /**
   * Seconds after which what a Python worker holds is given to others, by any worker of ours as by Python's. Ours show signs of life instead
   * (`heartbeat_ttl`). Default 3600; the shortest one in a fleet counts.
   */
  readonly visibility_timeout: number;
  /** Ours: how long after its last sign of life a worker's claims go to others. */
  readonly heartbeat_ttl: number;
  /** Ours: larger messages are neither sent nor run. Default 16 MiB; Celery has no limit. */
  readonly max_message_bytes: number;
  /** In which order a worker looks into its queues: another one first each time, by name, or as given. Default `round_robin`. */
  readonly queue_order_strategy: "round_robin" | "sorted" | "priority";
  /** Understood as long as they are kombu's defaults. */
  readonly priority_steps: number[] | null;
  readonly sep: string | null;
  readonly ack_emulation: true;
  /** What fanout channels begin with: `false` for nothing, or a text in which `{db}` stands for the database. */
  readonly fanout_prefix: boolean | string;
  readonly fanout_patterns: boolean;
}

export interface ResultTransportOptions extends ServerOptions {
  /** Understood, and of no effect: results are not claimed. */
  readonly visibility_timeout: number | null;
  /** A chord's body gets the results in the order of the header, not of completion. Default true. */
  readonly result_chord_ordered: boolean;
}

/** Settings about connections. */
export interface ConnectionValues {
  /** TLS to the broker: `true`, or certificates. The same as `rediss://` and options in the URL. */
  broker_use_ssl: boolean | SslOptions | null;
  /** The order in which a list of brokers is tried. */
  broker_failover_strategy: "round-robin";
  /** Understood, and of no effect: one connection carries everything that a process sends. */
  broker_pool_limit: number | null;
  redis_backend_use_ssl: boolean | SslOptions | null;
  get result_backend_transport_options(): ResultTransportOptions;
  set result_backend_transport_options(value: Partial<ResultTransportOptions>);
  /** The result store's sockets, as `broker_transport_options` for the broker's. Seconds. */
  redis_socket_timeout: number | null;
  redis_socket_connect_timeout: number | null;
  redis_socket_keepalive: boolean | null;
  redis_backend_health_check_interval: number | null;
  redis_client_name: string | null;
  /** Understood, and of no effect. */
  redis_max_connections: number | null;
  redis_retry_on_timeout: boolean;
}
