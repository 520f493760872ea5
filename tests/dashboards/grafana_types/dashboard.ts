// What a dashboard's JSON must be: Grafana's own types, closed against fields that they do not know.
import type { AnnotationQuery, Dashboard, DataQuery, FieldConfig, Panel, VariableModel } from "@grafana/schema";
import type { Options as BarGauge } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type { Options as Stat } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type {
  FieldConfig as StateTimelineField,
  Options as StateTimeline,
} from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type {
  FieldConfig as TableField,
  Options as Table,
} from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type {
  FieldConfig as TimeSeriesField,
  Options as TimeSeries,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON cannot name an enum's members, only write their values.
type AsJson<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}`
      ? N
      : T
    : T extends readonly (infer Item)[]
      ? AsJson<Item>[]
      : T extends object
        ? { [Key in keyof T]: AsJson<T[Key]> }
        : T;

// Prometheus' query is not among the published types; these are the fields of Grafana's data source.
interface PrometheusQuery extends DataQuery {
  datasource: { type: "prometheus"; uid: string };
  expr: string;
  editorMode?: "code" | "builder";
  exemplar?: boolean;
  format?: "time_series" | "table" | "heatmap";
  instant?: boolean;
  interval?: string;
  legendFormat?: string;
  range?: boolean;
}

interface Field<Custom> extends Omit<FieldConfig, "custom" | "unit"> {
  custom?: Partial<Custom>;
  unit: string;
}

interface Filled<Type extends string, Options, Custom>
  extends Omit<Panel, "type" | "options" | "fieldConfig" | "targets" | "title" | "description" | "id" | "gridPos"> {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: { h: number; w: number; x: number; y: number };
  options: Options;
  targets: PrometheusQuery[];
  fieldConfig: { defaults: Field<Custom>; overrides: NonNullable<Panel["fieldConfig"]>["overrides"] };
}

type AnyPanel =
  | Filled<"stat", Stat, Record<string, unknown>>
  | Filled<"bargauge", BarGauge, Record<string, unknown>>
  | Filled<"timeseries", TimeSeries, TimeSeriesField>
  | Filled<"table", Table, TableField>
  | Filled<"state-timeline", StateTimeline, StateTimelineField>;

// What its annotations read besides the query: none of it is in AnnotationQuery, nor is there an `expr` in its target.
interface PrometheusAnnotation extends AnnotationQuery<PrometheusQuery> {
  tagKeys?: string;
  target: PrometheusQuery;
  textFormat?: string;
  titleFormat?: string;
  useValueForTime?: "on" | "off";
}

interface Strict extends Omit<Dashboard, "panels" | "annotations" | "templating" | "uid" | "title"> {
  uid: string;
  title: string;
  panels: AnyPanel[];
  annotations: { list: PrometheusAnnotation[] };
  templating: { list: VariableModel[] };
}

export type DashboardJson = AsJson<Strict>;
export type PlainDashboard = AsJson<Dashboard>;
