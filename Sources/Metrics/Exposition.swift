/// Writes metrics in Prometheus's text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/), as node_exporter's textfile collector and the
/// Pushgateway take it: without times of their own.
public struct Exposition: Sendable {
    private let common: [MetricLabel]
    private var text = ""

    /// - Parameter labels: those of every value.
    public init(labels: [MetricLabel] = []) { common = labels }

    public var bytes: [UInt8] { Array(text.utf8) }

    /// Adds a metric with all its values. Without any it is left out with its comments.
    public mutating func add(_ metric: Metric, _ samples: [MetricSample]) {
        guard !samples.isEmpty else { return }
        if metric.kind != .untyped {
            text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
        }
        for sample in samples {
            let labels = (common + sample.labels).map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text += metric.name + sample.suffix
            if !labels.isEmpty { text += "{" + labels.joined(separator: ",") + "}" }
            text += " \(sample.value.text)\n"
        }
    }

    /// Adds a metric of one value; nil: it is not known, and left out.
    public mutating func add(_ metric: Metric, _ value: MetricValue?) {
        if let value { add(metric, [MetricSample([], value)]) }
    }

    /// Adds a histogram of durations.
    public mutating func add(_ metric: Metric, _ histogram: DurationHistogram) {
        var samples: [MetricSample] = []
        var count: Int64 = 0
        for (bound, counted) in zip(DurationHistogram.bounds.map(\.text) + ["+Inf"], histogram.counts) {
            count += counted
            samples.append(MetricSample([MetricLabel("le", bound)], .integer(count)))
            samples[samples.count - 1].suffix = "_bucket"
        }
        samples.append(MetricSample([], .seconds(nanoseconds: histogram.sum)))
        samples[samples.count - 1].suffix = "_sum"
        samples.append(MetricSample([], .integer(count)))
        samples[samples.count - 1].suffix = "_count"
        add(metric, samples)
    }

    /// A label's value: backslash, quote and line feed are escaped, nothing else is.
    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Counts durations by how long they were.
public struct DurationHistogram: Equatable, Sendable {
    /// The upper ends of all buckets but the last, which has none: around the 0.2 s and the second that are promised, and
    /// on to what an outage takes.
    static let bounds: [(milliseconds: Int64, text: String)] = [
        (100, "0.1"), (200, "0.2"), (300, "0.3"), (500, "0.5"), (1_000, "1"), (2_000, "2"), (5_000, "5"),
        (10_000, "10"),
        (60_000, "60"), (600_000, "600"), (3_600_000, "3600"),
    ]

    /// Of each bucket, without those below it.
    public private(set) var counts = [Int64](repeating: 0, count: bounds.count + 1)
    /// Nanoseconds.
    public private(set) var sum: Int64 = 0

    public init() {}

    /// Counts so many of one duration.
    public mutating func add(nanoseconds: Int64, count: Int64) {
        let length = max(nanoseconds, 0)
        let bucket = Self.bounds.firstIndex { length <= $0.milliseconds * 1_000_000 } ?? Self.bounds.count
        counts[bucket] += count
        sum += length * count
    }
}
