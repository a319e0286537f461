/// The `[metrics]` table: where figures about the copies go, for Prometheus.
public struct MetricsSettings: Equatable, Sendable {
    /// The directory that node_exporter's textfile collector reads, absolute; nil: none is written.
    public var textfileDirectory: [UInt8]?
    /// The base URL of a Pushgateway, such as `http://monitor:9091`; nil: nothing is pushed.
    public var pushgateway: String?
    /// The value of the label `job`.
    public var job = "nfs-offsite-sync"

    public init() {}
}
