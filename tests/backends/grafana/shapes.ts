// What a dashboard's parts must look like: the types that Grafana publishes, put together so that nothing is left open
// that they could close. `check_schema` in tests/backends/test_grafana_schema.py writes literals of these types.

import type { DataQuery, DataSourceRef, FieldConfig, MatcherConfig, Panel, RowPanel, Dashboard } from '@grafana/schema';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has no enumerations: the value itself stands for the member that has it.
type Json<T> = 0 extends 1 & T
    ? T
    : T extends string
      ? `${T}`
      : T extends (infer E)[]
        ? Json<E>[]
        : T extends object
          ? { [K in keyof T]: Json<T[K]> }
          : T;

// The schema package leaves queries to each data source; these are the fields of Prometheus' that are used.
interface PrometheusQuery extends DataQuery {
    datasource: DataSourceRef;
    editorMode: 'code' | 'builder';
    exemplar?: boolean;
    expr: string;
    format?: 'time_series' | 'table' | 'heatmap';
    instant?: boolean;
    legendFormat?: string;
    range: boolean;
}

interface Fields<Drawing> {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<Drawing> };
    overrides: { matcher: MatcherConfig<string>; properties: { id: string; value: unknown }[] }[];
}

type Common = Required<Pick<Panel, 'id' | 'gridPos' | 'title'>>;
type Shown<Type extends string, Options, Drawing> = Json<
    Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource'> & Common & {
        type: Type;
        description: string;
        datasource: DataSourceRef;
        targets: PrometheusQuery[];
        options: Options;
        fieldConfig: Fields<Drawing>;
    }
>;

type None = Record<string, never>;

export interface Panels {
    timeseries: Shown<'timeseries', timeseries.Options, timeseries.FieldConfig>;
    stat: Shown<'stat', stat.Options, None>;
    table: Shown<'table', table.Options, table.FieldConfig>;
    heatmap: Shown<'heatmap', heatmap.Options, heatmap.FieldConfig>;
    text: Json<Pick<Panel, 'type'> & Common & { type: 'text'; options: text.Options }>;
    row: Json<RowPanel>;
}

export type Page = Json<Omit<Dashboard, 'panels'> & Required<Pick<Dashboard, 'uid' | 'title' | 'schemaVersion'>>>;
