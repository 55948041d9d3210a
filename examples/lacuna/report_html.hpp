/// The report of an experiment as one HTML file that needs nothing else: no network, no script.
#pragma once

#include "chart.hpp"
#include "lacuna/train/progress.hpp"
#include "pictures.hpp"
#include "report_data.hpp"
#include "report_style.hpp"
#include "terminal.hpp"

namespace program {

/// The parts of a report, one function each.
class HtmlReport {
 public:
  HtmlReport(const lab::Results& results, const std::vector<Record>& records) : r_(results), records_(records) {}

  std::string text() const {
    const std::string title = "Models under missing modalities: " + value_of(r_.data, "name");
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n" +
           element("title", "", escaped(title)) + "\n" + element("style", "", report_style) +
           "\n</head>\n<body>\n<main>\n" + element("h1", "", escaped(title)) + "\n" + lead() + tables() + curves() +
           differences() + subsets() + effects() + attention() + trainings() + settings() +
           "</main>\n</body>\n</html>\n";
  }

 private:
  using Table = std::vector<std::vector<std::string>>;

  static std::string value_of(const std::vector<std::pair<std::string, std::string>>& list, const std::string& name) {
    for (const auto& [key, value] : list)
      if (key == name) return value;
    return "";
  }
  const std::string& headline() const { return r_.metrics.at(0); }
  static std::string section(const std::string& title, const std::string& note) {
    return element("h2", "", escaped(title)) + "\n" +
           (note.empty() ? "" : element("p", "class=\"note\"", escaped(note)) + "\n");
  }
  std::size_t colour(const std::string& model) const {
    std::size_t number = 0;
    for (const auto& one : r_.models) {
      if (one.name == model) return number;
      number += one.name != "constant";
    }
    return number;
  }
  static std::string fact(const std::string& number, const std::string& what) {
    return element("li", "", element("b", "", escaped(number)) + element("span", "", escaped(what)));
  }

  std::string lead() const {
    std::size_t conditions = 0, trainings = 0;
    for (const auto& protocol : r_.protocols) conditions += protocol.conditions.size();
    for (const auto& model : r_.models) trainings += model.runs.size();
    return element("p", "class=\"lead\"",
                   "Every model sees the same masks. What is selected is selected on the validation split; all "
                   "numbers here are of the test split. Of a sample of which nothing is present, every model "
                   "answers what the constant predictor does.") +
           "\n" +
           element(
               "ul", "class=\"facts\"",
               fact(std::to_string(r_.models.size()), "models") + fact(std::to_string(trainings), "trainings") +
                   fact(std::to_string(conditions), "conditions") + fact(std::to_string(r_.samples), "test samples") +
                   fact(r_.classes > 0 ? std::to_string(r_.classes) : "real", r_.classes > 0 ? "classes" : "labels")) +
           "\n";
  }

  std::string averages(const lab::ProtocolInfo& protocol, const std::string& metric) const {
    const auto names = lab::average_names(r_, protocol);
    Table table{{"model"}};
    for (const auto& name : names) table[0].push_back(escaped(name));
    for (const auto& model : r_.models) {
      table.push_back({escaped(model.title())});
      for (const auto& name : names) {
        const auto* one = lab::find_summary(r_, model.name, protocol.name, name, true);
        if (one == nullptr) continue;
        const double mean = lab::score_of(one->mean, metric), deviation = lab::score_of(one->deviation, metric);
        std::string cell = shown_number(mean, metric);
        if (mean == best(protocol.name, name, metric)) cell = element("b", "", cell);
        if (!std::isnan(deviation)) cell += element("small", "", " ± " + shown_number(deviation, metric));
        table.back().push_back(cell);
      }
    }
    return element("h3", "", escaped(title_of(protocol)) + " · " + escaped(metric_title(metric))) + html_table(table);
  }
  double best(const std::string& protocol, const std::string& name, const std::string& metric) const {
    return lab::best_of(r_, protocol, name, metric);
  }
  static std::string title_of(const lab::ProtocolInfo& protocol) {
    static const std::vector<std::pair<std::string, std::string>> titles{
        {"none", "Complete data"},
        {"p1", "P1: every subset of the modalities"},
        {"p1-intra", "P1-intra: frames of every modality erased"},
        {"p2", "P2: modalities of a sample missing at random, one stays"},
        {"p3", "P3: frames erased by NumPy's generator"},
        {"p4", "P4: every incomplete subset"}};
    const std::string title = value_of(titles, protocol.name);
    return title.empty() ? protocol.name : title;
  }

  std::string tables() const {
    std::string text = section("Averages",
                               "Mean over the seeds ± their standard deviation; the best of each column is "
                               "green and bold. Shares are in percent.");
    for (const auto& protocol : r_.protocols) text += averages(protocol, headline());
    if (r_.metrics.size() < 2) return text;
    std::string others;
    for (std::size_t m = 1; m < r_.metrics.size(); ++m)
      for (const auto& protocol : r_.protocols) others += averages(protocol, r_.metrics[m]);
    return text + element("details", "", element("summary", "", "The other metrics") + others) + "\n";
  }

  /// One line per model: (x, name of a summary) for every point.
  std::string curve(const lab::ProtocolInfo& protocol, const std::vector<std::pair<double, std::string>>& points,
                    bool average, const std::string& x_title, const std::string& metric) const {
    std::vector<Series> all;
    for (const auto& model : r_.models) {
      Series series{model.name, {}, {}, {}, colour(model.name), model.name == "constant"};
      const double factor = is_share(metric) ? 100 : 1;
      for (const auto& [x, name] : points) {
        const auto* one = lab::find_summary(r_, model.name, protocol.name, name, average);
        if (one == nullptr) continue;
        series.x.push_back(x);
        series.y.push_back(factor * lab::score_of(one->mean, metric));
        series.spread.push_back(factor * lab::score_of(one->deviation, metric));
      }
      all.push_back(std::move(series));
    }
    ChartOptions options{x_title, metric_title(metric)};
    for (const auto& [x, name] : points) options.x_ticks.push_back(x);
    const auto names = legend(leave_out_far(all));
    return element("h3", "", escaped(title_of(protocol))) + names + line_chart(all, options);
  }
  /// The constant predictor, where it is so far from the models that they could not be told apart any more: out of the
  /// chart, its number into the legend, which is returned.
  static std::vector<Series> leave_out_far(std::vector<Series>& all) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const auto& one : all)
      for (const double y : one.y)
        if (!one.quiet) stretch(low, high, y);
    std::vector<Series> legend = all;
    for (std::size_t i = all.size(); i-- > 0 && low <= high;) {
      if (!all[i].quiet) continue;
      double far = 0, outside = 0;
      for (const double y : all[i].y) {
        const double beyond = std::max(low - y, y - high);
        if (std::isfinite(y) && beyond > far) far = beyond, outside = y;
      }
      if (far <= 0.5 * (high - low) || all.size() < 2) continue;
      legend[i].name += " (off the chart: " + lacuna::detail::general_text(outside, 4) + ")";
      all.erase(all.begin() + std::ptrdiff_t(i));
    }
    return legend;
  }
  std::string curves() const {
    std::string text;
    for (const auto& protocol : r_.protocols) {
      std::vector<std::pair<double, std::string>> points;
      if (protocol.rates) {
        for (const auto& one : protocol.conditions) points.emplace_back(one.rate, one.name);
        text += curve(protocol, points, false, "missing rate", headline());
        continue;
      }
      for (const auto& one : lab::presence_averages(protocol.conditions))
        points.emplace_back(double(protocol.conditions[one.of[0]].present), one.name);
      if (points.size() > 1 && protocol.conditions.size() > 1)
        text += curve(protocol, points, true, "modalities present", headline());
    }
    if (text.empty()) return text;
    return section("Curves",
                   "Lines are means over the seeds, bands one standard deviation of the seeds to either side.") +
           text;
  }

  std::string differences() const {
    const auto shown = [&](double value) { return shown_number(value, headline()); };
    std::string charts;
    Table table{{"model", "protocol", "average", "metric", "difference", "low", "high"}};
    for (const auto& protocol : r_.protocols) {
      std::vector<IntervalRow> rows;
      const auto names = lab::average_names(r_, protocol);
      const double factor = is_share(headline()) ? 100 : 1;
      for (const auto& one : r_.differences) {
        if (one.protocol != protocol.name || !one.average) continue;
        table.push_back({escaped(one.model), escaped(one.protocol), escaped(one.name),
                         escaped(metric_title(one.metric)), shown_number(one.value, one.metric),
                         shown_number(one.interval.low, one.metric), shown_number(one.interval.high, one.metric)});
        // far away from all others; it is in the table
        const bool far = one.model == "constant" && r_.models.size() > 2;
        if (one.metric != headline() || one.name != names.at(0) || far) continue;
        rows.push_back({one.model, factor * one.value, factor * one.interval.low, factor * one.interval.high,
                        colour(one.model),
                        shown(one.value) + " [" + shown(one.interval.low) + ", " + shown(one.interval.high) + "]"});
      }
      if (!rows.empty())
        charts += element("h3", "", escaped(title_of(protocol) + ", " + names.at(0))) +
                  interval_chart(rows, metric_title(headline()) + ", less that of " + r_.reference);
    }
    if (charts.empty()) return "";
    return section(
               "Differences from " + r_.reference,
               "Intervals of 95 % from resampled test samples, paired over models and seeds: what another test split "
               "would have done. " +
                   std::string(lacuna::train::is_error(headline()) ? "Less is better." : "More is better.")) +
           charts + element("details", "", element("summary", "", "All averages and metrics") + html_table(table)) +
           "\n";
  }

  std::string subsets() const {
    std::string text;
    for (const auto& protocol : r_.protocols) {
      if (protocol.rates || protocol.conditions.size() < 2) continue;
      double most = 0;
      for (const auto& one : r_.summaries)
        if (one.protocol == protocol.name && !one.average) most = std::max(most, score_or_zero(one));
      Table table{{"present"}};
      for (const auto& model : r_.models) table[0].push_back(escaped(model.name));
      for (const auto& condition : protocol.conditions) {
        table.push_back({escaped(condition.name)});
        for (const auto& model : r_.models) {
          const auto* one = lab::find_summary(r_, model.name, protocol.name, condition.name, false);
          if (one == nullptr) continue;
          const double mean = lab::score_of(one->mean, headline());
          std::string number = shown_number(mean, headline(), is_share(headline()) ? 1 : 3);
          if (mean == best(protocol.name, condition.name, headline())) number = element("b", "", number);
          const double share = most > 0 ? 100 * score_or_zero(*one) / most : 0;
          table.back().push_back("<span class=\"cell\"><i style=\"width:" + coordinate(share) + "%\"></i>" +
                                 element("span", "", number) + "</span>");
        }
      }
      text += element("h3", "", escaped(title_of(protocol))) + html_table(table, "bars");
    }
    return text.empty() ? text
                        : section("Subsets", metric_title(headline()) +
                                                 " of every subset, mean over the seeds; bars start at 0.") +
                              text;
  }
  double score_or_zero(const lab::Summary& one) const {
    const double value = lab::score_of(one.mean, headline());
    return value > 0 ? value : 0;
  }

  /// A bar per modality, one chart per model, all on one scale.
  std::string effects() const {
    const double factor = r_.classes > 0 ? 100 : 1;
    std::vector<std::pair<std::string, std::vector<Bar>>> models;
    double most = 0;
    for (const auto& model : r_.models) {
      std::vector<Bar> bars;
      double runs = 0;
      for (const Record& record : records_) runs += record.model == model.name && !record.effects.empty();
      for (const Record& record : records_)
        for (const auto& [name, value] : record.effects) {
          if (record.model != model.name) continue;
          auto bar =
              std::find_if(bars.begin(), bars.end(), [&, wanted = &name](const Bar& b) { return b.name == *wanted; });
          if (bar == bars.end()) bar = bars.insert(bars.end(), {name, 0, ""});
          bar->value += factor * value / runs;
        }
      for (Bar& bar : bars) {
        bar.text = lacuna::detail::fixed_text(bar.value, r_.classes > 0 ? 1 : 3);
        most = std::max(most, bar.value);
      }
      if (!bars.empty() && model.name != "constant") models.emplace_back(model.name, std::move(bars));
    }
    std::string charts;
    for (const auto& [name, bars] : models)
      charts += element("div", "",
                        element("h3", "", escaped(name)) +
                            bar_chart(bars, most, colour(name), "What each modality is worth to " + name));
    if (charts.empty()) return "";
    return section("What each modality is worth",
                   std::string(r_.classes > 0 ? "Share of the predictions, in percent, that become another class"
                                              : "Mean change of the prediction, in units of the label,") +
                       " when this modality alone is taken away from test samples that have another one; mean over the "
                       "seeds. It says what a model listens to, not whether it does well to.") +
           element("div", "class=\"several\"", charts) + "\n";
  }
  /// Of one sample, by the first seed of every model that has attention.
  std::string attention() const {
    std::string charts;
    for (const auto& model : r_.models)
      for (const Record& record : records_) {
        if (record.model != model.name || record.attention.empty()) continue;
        charts += element("h3", "", escaped(model.name + ", sample " + record.attention_sample)) +
                  attention_chart(record.attention, colour(model.name), "Attention of " + model.name + " over frames");
        break;
      }
    if (charts.empty()) return "";
    return section("Attention over frames",
                   "Weights of one test sample, the first that has the most modalities: a column per frame, the mean "
                   "over queries and heads; the tallest column of a row is its largest weight.") +
           charts;
  }

  std::string trainings() const {
    std::string charts;
    for (const auto& model : r_.models) {
      std::vector<Series> all;
      for (const auto& record : records_) {
        if (record.model != model.name || record.score.size() < 2) continue;
        Series series{"seed " + std::to_string(record.seed), {}, {}, {}, all.size(), false};
        for (std::size_t e = 0; e < record.score.size(); ++e) {
          series.x.push_back(double(e + 1));
          series.y.push_back(record.score[e]);
        }
        all.push_back(std::move(series));
      }
      if (all.empty()) continue;
      charts += element("div", "",
                        element("h3", "", escaped(model.name)) + legend(all) +
                            line_chart(all, {"epoch", "validation score", 420, 230}));
    }
    Table table{
        {"model", "numbers trained", "seed", "epochs", "kept epoch", "validation score", "training", "evaluation"}};
    for (const auto& model : r_.models)
      for (const auto& run : model.runs) {
        table.push_back({escaped(model.name), std::to_string(model.parameters),
                         run.epochs > 0 ? std::to_string(run.seed) : "–",
                         run.epochs > 0 ? std::to_string(run.epochs) : "–",
                         run.epochs > 0 ? std::to_string(run.best_epoch) : "–", number(run.validation_score)});
        for (const auto& record : records_)
          if (record.model == model.name && record.seed == run.seed) {
            table.back().push_back(seconds(record.training_seconds));
            table.back().push_back(seconds(record.evaluation_seconds));
            break;
          }
      }
    for (const auto& model : r_.models)
      for (const auto& failure : model.failures)
        table.push_back({escaped(model.name), "–", std::to_string(failure.seed), "failed: " + escaped(failure.what)});
    return section("Trainings",
                   "The score is what selection minimises on the validation split: the mean, over the "
                   "conditions that a model is meant for, of its error, or of 1 less its share of right answers.") +
           (charts.empty() ? "" : element("div", "class=\"several\"", charts) + "\n") + html_table(table);
  }
  static std::string number(double value) { return std::isnan(value) ? "–" : lacuna::detail::fixed_text(value, 4); }
  static std::string seconds(double value) { return lacuna::detail::fixed_text(value, 1) + " s"; }

  static std::string pairs(const std::vector<std::pair<std::string, std::string>>& list, const std::string& title) {
    Table table{{escaped(title), ""}};
    for (const auto& [name, value] : list) table.push_back({escaped(name), escaped(value)});
    return html_table(table, "text");
  }
  std::string settings() const {
    Table recipes{{"model", "recipe"}};
    for (const auto& model : r_.models)
      recipes.push_back({escaped(model.name), element("code", "", escaped(model.recipe))});
    Table masks{{"condition", "protocol", "rate", "masks"}};
    for (const auto& protocol : r_.protocols)
      for (const auto& one : protocol.conditions)
        masks.push_back(
            {escaped(one.name), escaped(protocol.name), number(one.rate), element("code", "", escaped(one.masks))});
    return section("Setting",
                   "With these and the same version of the library the tables come out the same, bit for bit.") +
           pairs(r_.config, "experiment") + pairs(r_.data, "data") +
           element("details", "",
                   element("summary", "", "Recipes of the models, every option") + html_table(recipes, "text")) +
           element("details", "", element("summary", "", "Fingerprints of the masks") + html_table(masks)) +
           element("footer", "",
                   "lacuna " + std::to_string(LACUNA_VERSION_MAJOR) + "." + std::to_string(LACUNA_VERSION_MINOR) + "." +
                       std::to_string(LACUNA_VERSION_PATCH)) +
           "\n";
  }

  const lab::Results& r_;
  const std::vector<Record>& records_;
};

/// The whole document. It depends on its arguments alone.
inline std::string report_html(const lab::Results& results, const std::vector<Record>& records) {
  return HtmlReport(results, records).text();
}

}  // namespace program
