/// One metric of Prometheus: its name, kind and help.
public struct Metric: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case gauge, counter, histogram
        /// Without HELP and TYPE, for a name that other jobs write in the same way.
        case untyped
    }

    /// With its unit, as Prometheus's conventions want it (https://prometheus.io/docs/practices/naming/).
    public let name: String
    public let kind: Kind
    /// One line, without backslashes. The same in every file: node_exporter complains of one name with two texts.
    public let help: String

    public init(_ name: String, _ kind: Kind, _ help: String) {
        (self.name, self.kind, self.help) = (name, kind, help)
    }
}

/// One value of a metric, with the labels that tell it from the metric's other values.
public struct MetricSample: Equatable, Sendable {
    public var labels: [MetricLabel]
    public var value: MetricValue
    /// What follows the metric's name: `_bucket`, `_sum` or `_count` of a histogram.
    var suffix = ""

    public init(_ labels: [MetricLabel], _ value: MetricValue) {
        (self.labels, self.value) = (labels, value)
    }
}

/// A label, with any text as its value.
public struct MetricLabel: Equatable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

public enum MetricValue: Equatable, Sendable {
    case integer(Int64)
    /// Written as seconds with three decimals. A clock that stepped can make a wait negative, which it was not.
    case seconds(nanoseconds: Int64)
    /// 1 or 0.
    case flag(Bool)

    var text: String {
        switch self {
        case .integer(let number): return "\(number)"
        case .flag(let isSet): return isSet ? "1" : "0"
        case .seconds(let nanoseconds):
            let milliseconds = max(nanoseconds, 0) / 1_000_000
            let decimals = "\(milliseconds % 1_000)"
            return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - decimals.utf8.count) + decimals
        }
    }
}
